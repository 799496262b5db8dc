#!/usr/bin/env bash
# Says how far a long step is, so that nobody waits before a silent terminal. Sourced.

# with_progress NAME HOW LOG COMMAND...: runs the command with its output in LOG. Meanwhile it prints, every few seconds,
# NAME and what `HOW LOG` says; on a terminal always on the same line.
with_progress() {
  local name=$1 how=$2 log=$3 watcher status=0
  shift 3
  : > "$log"
  watch "$name" "$how" "$log" &
  watcher=$!
  "$@" > "$log" 2>&1 || status=$?
  kill "$watcher" 2> /dev/null || true
  wait "$watcher" 2> /dev/null || true
  if [ -t 1 ]; then printf '\r\033[K'; fi
  return "$status"
}

# It ends with the script, too: a background process does not get Ctrl-C.
watch() {
  local name=$1 how=$2 log=$3 start=$SECONDS tick=10 format='%-10s %s (%d s)\n'
  if [ -t 1 ]; then
    tick=1
    format='\r\033[K%-10s %s (%d s)'
  fi
  # Whoever reads the output must not wait for `sleep`.
  while sleep "$tick" > /dev/null 2>&1 && kill -0 $$; do
    # shellcheck disable=SC2059
    printf "$format" "$name" "$("$how" "$log")" $((SECONDS - start))
  done
}

# count PATTERN LOG: lines that match.
count() { grep -cE -- "$1" "$2" || true; }

# Of the sources; those that were compiled earlier are no part of the count.
progress_build() { echo "$(count ' -c ' "$1") of $(find src test/bench test/modules -name '*.cpp' | wc -l) files"; }

# What apt says last.
progress_apt() { tail -n 1 "$1" | cut -c 1-90; }
