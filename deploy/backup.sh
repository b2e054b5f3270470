#!/bin/sh
# A dump of the database, complete or not there at all:  deploy/backup.sh [directory]
# Keeps the newest 14 (KEEP=…). The keys are not in it: keep /etc/supportdesk/env apart from it.
set -eu
umask 077
. "$(dirname "$0")/postgres_programs.sh"
directory=${1:-${SUPPORTDESK_BACKUP_DIR:?name a directory, or set SUPPORTDESK_BACKUP_DIR}}
mkdir -p "$directory"
name=$directory/desk-$(date -u +%Y%m%dT%H%M%SZ).dump
trap 'rm -f "$name.part"' EXIT
"$PG_DUMP" --format=custom --no-owner --no-privileges --file="$name.part" "$DATABASE_URL"
"$PG_RESTORE" --list "$name.part" > /dev/null    # a dump that cannot be read is none
mv "$name.part" "$name"
ls -1t "$directory"/desk-*.dump | tail -n "+$((${KEEP:-14} + 1))" | while read -r old; do rm -f "$old"; done
echo "$name"
