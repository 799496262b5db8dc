#!/usr/bin/env bash
# The second half of test/bench/objects, as an unprivileged user.
#
#   bash objects.sh WORK [N [SIZE [CONCURRENCY]]]
set -euo pipefail

work=$1
n=${2:-1000}
size=${3:-4096}
concurrency=${4:-4}
# shellcheck source=test/lib/build.sh
. "$work/src/test/lib/build.sh"
mkdir -p "$work/log"
make -j"$(nproc)" build/bench/objects > "$work/log/build.log" 2>&1 || { tail -n 30 "$work/log/build.log"; exit 1; }

test/s3/server start "$work/s3"
trap 'test/s3/server stop "$work/s3"' EXIT
set -a
# shellcheck source=/dev/null
. "$work/s3/env"
set +a
test/s3/server bucket "$work/s3" bench
head -c "$size" /dev/zero > "$work/body"
for i in $(seq "$n"); do
  printf 'url = "%s/bench/curl/%d"\nupload-file = "%s"\noutput = /dev/null\n' "$S3_ENDPOINT" "$i" "$work/body"
done > "$work/curl.conf"

ours() { build/bench/objects bench "$n" "$size" "$concurrency"; }
boto3() { /usr/bin/python3 test/conformance/bucket.py put_many bench "$n" "$size" "$concurrency"; }

# Its own start takes 20 ms, which count.
curl() {
  local start=$EPOCHREALTIME
  command curl -fsS --parallel --parallel-max "$concurrency" --aws-sigv4 "aws:amz:$S3_REGION:s3" \
    --user "$S3_OWNER_KEY:$S3_OWNER_SECRET" -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -K "$work/curl.conf" \
    2> "$work/log/curl.log" || { tail -n 3 "$work/log/curl.log" >&2; return 1; }
  awk "BEGIN { print $EPOCHREALTIME - $start }"
}

rm -f "$work"/seconds.*
for round in 0 1 2 3 4 5; do
  for tool in ours boto3 curl; do
    seconds=$("$tool")
    if [ "$round" != 0 ]; then echo "$seconds" >> "$work/seconds.$tool"; fi
  done
done

median() { sort -n "$work/seconds.$1" | sed -n 3p; }
echo "$n objects of $size bytes, $concurrency at a time, median of 5"
for tool in ours boto3 curl; do
  awk -v name="$tool" -v seconds="$(median "$tool")" -v ours="$(median ours)" -v n="$n" \
    'BEGIN { printf "%-6s %7.3f s %7.0f objects/s %6.0f %%\n", name, seconds, n / seconds, 100 * seconds / ours }'
done
