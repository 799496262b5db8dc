#!/usr/bin/env bash
# Adds up the last lines of several runs, "N passed, N failed". Sourced.

passed=0
failed=0

# counted COMMAND...: shows its output. A command that fails without counting a failure counts as one.
counted() {
  local status=0 good bad output
  output=$(mktemp)
  "$@" < /dev/null 2>&1 | tee "$output" || status=$?
  read -r good bad <<< "$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$output" | tail -n 1)"
  rm -f "$output"
  if [ "$status" != 0 ] && [ "${bad:-0}" = 0 ]; then bad=1; fi
  passed=$((passed + ${good:-0}))
  failed=$((failed + ${bad:-0}))
}

# The last line, and whether nothing failed.
sum_up() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}
