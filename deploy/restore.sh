#!/bin/sh
# Bring a dump back into an empty database:  deploy/restore.sh desk-20261123T030000Z.dump
# Everything or nothing. Refuses a database that holds anything. What to do next: docs/running.md, "Backup and restore".
set -eu
. "$(dirname "$0")/postgres_programs.sh"
dump=${1:?name the dump to restore}
tables=$("$PSQL" --no-psqlrc --tuples-only --no-align --dbname="$DATABASE_URL" \
    --command="SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
if [ "$tables" != 0 ]; then
    echo "The database holds $tables tables already, so nothing was restored. Make an empty one first." >&2
    exit 1
fi
"$PG_RESTORE" --no-owner --no-privileges --exit-on-error --single-transaction --dbname="$DATABASE_URL" "$dump"
echo "Restored $dump. Before the clocks start: deploy/manage migrate, deploy/manage ledger verify, and look at what is open."
