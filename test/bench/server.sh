#!/usr/bin/env bash
# The second half of test/bench/json, changes and history: builds the copy, starts servers, measures, stops them. As an
# unprivileged user.
#
#   bash server.sh WORK json|changes|history [ARGUMENT...]      the arguments are those of measure.py, changes.py, history
set -euo pipefail

work=$1
what=$2
shift 2
# shellcheck source=test/lib/build.sh
. "$work/src/test/lib/build.sh"
mkdir -p "$work/log"
# shellcheck source=test/lib/progress.sh
. "$work/src/test/lib/progress.sh"
with_progress build progress_build "$work/log/build.log" build "${EXTRA_CXXFLAGS:-}" test-module || { tail -n 30 "$work/log/build.log"; exit 1; }

export PGHOST=$work/bench PGPORT=5432 PGDATABASE=postgres
rm -rf "$PGHOST"
mkdir "$PGHOST"
"$bin/initdb" -D "$PGHOST/data" -E UTF8 --locale=C.UTF-8 -A trust -N > "$work/log/initdb.log"
cat "$TEMP_CONFIG" - >> "$PGHOST/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$PGHOST'
shared_buffers = 6GB
max_wal_size = 16GB
checkpoint_timeout = 1h
fsync = off
autovacuum = off
max_parallel_workers_per_gather = 0
hydra_export.enabled = off
CONF
"$bin/pg_ctl" -D "$PGHOST/data" -l "$work/log/server.log" -w start > /dev/null
s3=$work/s3
rm -rf "$s3"
stop() {
  "$bin/pg_ctl" -D "$PGHOST/data" -m immediate stop > /dev/null
  if [ "$what" = json ]; then test/s3/server stop "$s3"; fi
  rm -rf "$PGHOST" "$s3"
}
trap stop EXIT
if [ "$what" = history ]; then
  "$bin/psql" -X -v exports="${1:-4300}" -f test/bench/history.sql
  exit
fi
if [ "$what" = changes ]; then
  PATH="$bin:$PATH" python3 test/bench/changes.py --chart "$work/changes.svg" "$@"
  exit
fi
STORE=bluestore EXTRA_CONF='bluestore_block_size = 34359738368' OWNER=$$ LIFETIME=86400 test/s3/server start "$s3"
test/s3/server bucket "$s3" bench
PATH="$bin:$PATH" python3 test/bench/measure.py --chart "$work/json.svg" --s3 "$s3" "$@"
