# Sourced: DATABASE_URL from the services' environment, and PostgreSQL's programs, the newest there are: PG_DUMP must not be
# older than the server. SUPPORTDESK_PG_BIN names others.
if [ -z "${DATABASE_URL:-}" ]; then
    set -a
    . "${SUPPORTDESK_ENV:-/etc/supportdesk/env}"
    set +a
fi
: "${DATABASE_URL:?DATABASE_URL is not set}"
bin=${SUPPORTDESK_PG_BIN:-$(ls -d /usr/lib/postgresql/*/bin 2> /dev/null | sort -V | tail -n 1)}
PG_DUMP=${bin:+$bin/}pg_dump PG_RESTORE=${bin:+$bin/}pg_restore PSQL=${bin:+$bin/}psql
