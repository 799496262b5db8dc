#!/usr/bin/env bash
# The second half of demo/run: builds, starts the servers and shows the exports, as an unprivileged user.
#
#   bash tour.sh WORK
set -euo pipefail

work=$1
# shellcheck source=test/lib/build.sh
. "$work/src/test/lib/build.sh"
# shellcheck source=test/lib/progress.sh
. "$work/src/test/lib/progress.sh"

data=$work/data
s3=$work/s3
bucket=shop-exports

# ---- output: what is being done, the SQL as one would type it, and its answer

step() {
  printf '\n==> %s\n' "$*"
}

psql_shop() {
  "$bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$work" -d shop "$@"
}

# The secret stays a psql variable, so that it is not shown.
show_sql() {
  local sql
  sql=$(cat)
  echo
  awk '{ print ($0 == "" ? "" : "    " $0) }' <<< "$sql"
  echo
  psql_shop -P pager=off -P footer=off -v key="$S3_WRITER_KEY" -v secret="$S3_WRITER_SECRET" -v endpoint="$S3_ENDPOINT" <<< "$sql"
}

# Functions that return nothing still print a table.
without_results() {
  sed '/^ *\(configure\|add_model\) *$/,/^$/d'
}

# ---- servers

# Ends what was started; a server whose starter is killed ends by its own time limit.
stop_servers() {
  if [ -e "$data/postmaster.pid" ]; then "$bin/pg_ctl" -D "$data" -m fast stop > /dev/null || true; fi
  "$work/src/test/s3/server" stop "$s3" || true
}

start_postgres() {
  rm -rf "$data"
  "$bin/initdb" -D "$data" --no-sync --auth=trust --username="$(id -un)" --encoding=UTF8 --locale=C.UTF-8 > "$work/initdb.log"
  {
    cat "$TEMP_CONFIG"
    echo "listen_addresses = ''"
    echo "unix_socket_directories = '$work'"
    echo "hydra_export.first_export_delay = '3s'"
    echo "log_checkpoints = off"
  } >> "$data/postgresql.conf"
  timeout -s INT -k 20 600 "$bin/postgres" -D "$data" > "$work/postgres.log" 2>&1 &
  for _ in $(seq 100); do
    "$bin/pg_isready" -q -h "$work" && return 0
    sleep 0.1
  done
  tail -n 20 "$work/postgres.log"
  return 1
}

start_s3() {
  rm -rf "$s3"
  OWNER=$$ LIFETIME=600 "$work/src/test/s3/server" start "$s3"
  "$work/src/test/s3/server" bucket "$s3" "$bucket"
  # shellcheck source=/dev/null
  . "$s3/env"
}

# ---- the tour

look() {
  perl "$work/src/demo/bucket" "$s3" "$bucket" "$@"
}

wait_for_scheduled_export() {
  for _ in $(seq 300); do
    case $(psql_shop -At -c "SELECT status FROM hydra_export.exports ORDER BY id LIMIT 1") in
      succeeded) return 0 ;;
      '' | running) sleep 0.1 ;;
      *) break ;;
    esac
  done
  psql_shop -x -c 'SELECT * FROM hydra_export.exports' -c 'TABLE hydra_export.schedule'
  tail -n 20 "$work/postgres.log"
  return 1
}

configure() {
  show_sql <<SQL | without_results
CREATE EXTENSION hydra_export;

SELECT hydra_export.configure(
  bucket => '$bucket', endpoint => :'endpoint',
  access_key => :'key', secret_key => :'secret',
  frequency_hours => 24);

SELECT hydra_export.add_model('customers');
SELECT hydra_export.add_model('products');
SELECT hydra_export.add_model('orders');
SELECT hydra_export.add_model('order_lines');
SELECT hydra_export.add_model('warehouse.stock');
SELECT hydra_export.add_model('warehouse.shipments', changed_by => 'updated_at');
SQL
}

change_rows() {
  show_sql <<'SQL'
UPDATE customers SET credit = credit + 5, tags = array_append(tags, 'bonus') WHERE id % 100 = 0;
UPDATE products SET price = price * 1.1 WHERE sku LIKE 'SKU-0042%';
INSERT INTO orders VALUES (60001, '2026-06-30 12:00+00', 7, 'new', true, 'Grüße & "best wishes"');
INSERT INTO order_lines (order_id, placed_at, line, sku, quantity, price)
  VALUES (60001, '2026-06-30 12:00+00', 1, 'SKU-004242', 3, 19.99);
UPDATE warehouse.shipments SET carrier = 'DHL Express', updated_at = now() WHERE order_id <= 1000;
SQL
}

# check MODEL TABLE KEY...: the last line of each key in the bucket against row_to_json of each row.
check() {
  local model=$1 table=$2 keys
  keys=$(printf ", line::json->>'%s'" "${@:3}")
  look lines "$model" > "$work/lines"
  psql_shop -At -F ' ' <<SQL
SET TimeZone = 'UTC'; SET IntervalStyle = 'iso_8601';
CREATE TEMP TABLE bucket (n bigint GENERATED ALWAYS AS IDENTITY, line text);
\\copy bucket (line) FROM '$work/lines' (FORMAT csv, QUOTE e'\\x01', DELIMITER e'\\x02')
SELECT format('%-20s %8s rows, %8s lines in the bucket, %s differences', '$model',
  (SELECT count(*) FROM $table), (SELECT count(*) FROM bucket), count(*))
FROM (SELECT DISTINCT ON (${keys#, }) line FROM bucket ORDER BY ${keys#, }, n DESC) AS newest
FULL JOIN (SELECT row_to_json(r)::text AS line FROM $table AS r) AS rows USING (line)
WHERE newest IS NULL OR rows IS NULL;
SQL
}

check_all() {
  check customers customers id
  check products products sku
  check orders orders id placed_at
  check order_lines order_lines order_id line
  check warehouse.stock warehouse.stock place sku
  check warehouse.shipments warehouse.shipments id
}

leave() {
  local status=$?
  stop_servers
  if [ "$status" != 0 ] && [ "$status" != 130 ]; then echo "The demo failed. What it left to look at: $work"; fi
}

trap leave EXIT
trap 'exit 130' INT

step "Building hydra_export (its own copy in $work; nothing is installed in the system)."
with_progress build progress_build "$work/build.log" build "${EXTRA_CXXFLAGS:-}" || { tail -n 40 "$work/build.log"; exit 1; }

step "Starting PostgreSQL $("$PG_CONFIG" --version | awk '{ print $2 }') with the extension, and Ceph's S3 server."
start_s3
start_postgres
echo "S3 is at $S3_ENDPOINT. The key that PostgreSQL gets may put objects there, and nothing else."

step "Filling a shop's tables."
"$bin/createdb" -h "$work" shop
psql_shop -f "$work/src/demo/sample.sql" > /dev/null

step "Creating the extension, saving settings, choosing tables."
configure

step "The first export was not asked for: the schedule starts it, here after 3 seconds."
wait_for_scheduled_export
look list

first=$(look list | awk '$2 ~ /\/customers\// { print $2; exit }')
step "The first lines of $first:"
look head "$first" 3

step "Changing some rows, and exporting again. This time, only what changed."
change_rows
show_sql <<'SQL'
SELECT hydra_export.export_now();
SQL

step "All objects in the bucket now:"
look list

step "What the database remembers of the exports:"
show_sql <<'SQL'
SELECT id, folder, status, duration, models, objects, rows, bytes FROM hydra_export.recent_exports;
SELECT * FROM hydra_export.schedule;
SQL

step "The second export's manifest, shortened:"
look manifest

step "Does the bucket hold what the tables hold? Per row, its last line in the bucket against row_to_json():"
check_all | tee "$work/check"
if grep -qv ' 0 differences$' "$work/check"; then
  echo "The bucket and the tables differ." >&2
  exit 1
fi

step "Done. Both servers end now, and nothing is left behind."
