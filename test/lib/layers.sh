#!/usr/bin/env bash
# The second half of test/run: builds the copy and runs the layers, as an unprivileged user.
#
#   bash layers.sh WORK [LAYER [TEST...]]
#
# WORK/src is the copy of the checkout, WORK/install what `make install` made of it, WORK/log/LAYER.log each output.
set -euo pipefail

work=$1
shift
layers=(lint unit regress isolation tap)
if [ $# -gt 0 ]; then layers=("$1"); fi
tests=("${@:2}")
passed=0
failed=0

# shellcheck source=test/lib/build.sh
. "$work/src/test/lib/build.sh"
# shellcheck source=test/lib/progress.sh
. "$work/src/test/lib/progress.sh"
pgxs=$(dirname "$("$PG_CONFIG" --pgxs)")/..
export PG_REGRESS=$pgxs/test/regress/pg_regress
mkdir -p "$work/log"
no_reports() { :; }
if [ -n "${SANITIZE:-}" ]; then
  # shellcheck source=test/lib/sanitize.sh
  . "$work/src/test/lib/sanitize.sh"
fi

# ---- layers: run_LAYER runs it, count_LAYER says "passed failed", show_LAYER prints what a failure left

run_build() { build "-Werror ${EXTRA_CXXFLAGS:-}" test-module; }

run_lint() { make -j"$(nproc)" lint; }

run_unit() { GTEST_FILTER="$(IFS=:; echo "${tests[*]:-*}")" make -j"$(nproc)" unit EXTRA_CXXFLAGS="${EXTRA_CXXFLAGS:-}"; }

run_regress() {
  make installcheck ISOLATION= REGRESS="$(names sql sql)" \
    EXTRA_REGRESS_OPTS="--bindir=$bin --temp-instance=$work/regress --temp-config=$TEMP_CONFIG \
      --temp-config=test/regress.conf --encoding=UTF8" && no_reports log
}

run_isolation() {
  make installcheck REGRESS= ISOLATION="$(names specs spec)" \
    EXTRA_REGRESS_OPTS="--bindir=$bin --temp-instance=$work/isolation --temp-config=$TEMP_CONFIG --encoding=UTF8"
}

# Those that take longest come first, so that no job is left alone with one of them in the end.
slow_first() {
  local file known=()
  for file in 056_sql_fuzz 054_rights 055_stops 020_changes 030_schedule 041_conflicts 060_blocks 090_torture; do known+=("test/t/$file.pl"); done
  printf '%s\n' "${known[@]}" "$@" | awk '!seen[$0]++'
}

run_tap() {
  local files=("${tests[@]}")
  if [ ${#files[@]} = 0 ]; then mapfile -t files < <(slow_first test/t/*.pl); fi
  rm -rf "$work/tap"
  mkdir -p "$work/tap"
  run_perl "$work/tap" --jobs 2 --share "${files[@]}" && no_reports "$work/tap/tmp_check/log"
}

# Not among the layers of a whole run: SEED, SECONDS, MODE and others come from the environment (test/torture).
run_torture() {
  rm -rf "$work/torture/tmp_check"
  mkdir -p "$work/torture"
  run_perl "$work/torture" test/torture/torture.pl
}

# Not among them either: pg_upgrade from OLD_PG_CONFIG's server.
run_upgrade() {
  build_old > "$work/log/build_old.log" 2>&1 || { tail -n 20 "$work/log/build_old.log"; return 1; }
  rm -rf "$work/upgrade"
  mkdir -p "$work/upgrade"
  OLD_TEMP_CONFIG="$work/old/temp.conf" run_perl "$work/upgrade" test/upgrade/upgrade.pl
}

# run_perl DIR ARGUMENT...: TAP files, their logs in DIR/tmp_check/log. Servers before 16 look for the first variable,
# later ones for the others.
run_perl() {
  TESTDIR=$1 TESTDATADIR=$1/tmp_check TESTLOGDIR=$1/tmp_check/log PATH="$bin:$PATH" \
    perl test/lib/tap.pl -I test/t/lib -I "$pgxs/test/perl" "${@:2}"
}

# In a copy of its own, as objects for another server are of no use.
build_old() (
  mkdir -p "$work/old/src" "$work/old/tmp"
  tar --exclude='*.o' --exclude='*.d' --exclude='*.so' --exclude='./tmp_check' -cf - . | tar -C "$work/old/src" -xf -
  # shellcheck disable=SC2030,SC2031
  work=$work/old
  PG_CONFIG=$OLD_PG_CONFIG
  # shellcheck source=test/lib/build.sh
  . "$work/src/test/lib/build.sh"
  run_build
)

# Started by test/conformance/run, which says where the store is.
run_conformance() {
  rm -rf "$work/conformance"
  mkdir -p "$work/conformance"
  run_perl "$work/conformance" "${tests[@]}"
}

# The tests that were asked for by name or file, or all.
names() {
  local files=("${tests[@]}")
  if [ ${#files[@]} = 0 ]; then files=("test/$1"/*."$2"); fi
  basename -a -s ".$2" "${files[@]}" | tr '\n' ' '
}

count_build() { echo '0 0'; }
count_lint() { echo '0 0'; }

count_unit() {
  local number='s/^\[  \1  \] ([0-9]+) tests?.*/\1/p'
  echo "$(sed -nE "${number/'\1'/PASSED}" "$1" | head -n 1)" "$(sed -nE "${number/'\1'/FAILED}" "$1" | head -n 1)"
}

# Servers before 16 write "test name ... ok", later ones TAP.
count_regress() {
  echo "$(grep -cE '\.\.\. ok|^ok ' "$1")" "$(grep -cE '\.\.\. FAILED|^not ok ' "$1")"
}

count_isolation() { count_regress "$1"; }

count_tap() { sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$1" | tail -n 1; }

count_torture() { count_tap "$1"; }
count_upgrade() { count_tap "$1"; }

count_conformance() { count_tap "$1"; }

show_log() { tail -n 60 "$work/log/$1.log"; }

# A compiler's first error matters, and its last lines rarely do.
show_errors() { grep -m 8 -A 4 -E 'error:|undefined reference' "$work/log/$1.log" || show_log "$1"; }

show_build() { show_errors build; }
show_lint() { show_errors lint; }
show_unit() { show_log unit; }
show_tap() { show_log tap; }
show_torture() { show_log torture; }
show_upgrade() { show_log upgrade; }
show_conformance() { show_log conformance; }

show_regress() {
  show_log regress
  if [ -e regression.diffs ]; then cat regression.diffs; else tail -n 30 log/*.log; fi
}

show_isolation() {
  show_log isolation
  if [ -e output_iso/regression.diffs ]; then cat output_iso/regression.diffs; fi
}

has_tests() {
  case $1 in
    lint) compgen -G 'src/*.cpp' > /dev/null ;;
    unit) compgen -G 'test/unit/*.cpp' > /dev/null ;;
    regress) compgen -G 'test/sql/*.sql' > /dev/null ;;
    isolation) compgen -G 'test/specs/*.spec' > /dev/null ;;
    tap) compgen -G 'test/t/*.pl' > /dev/null ;;
    torture | upgrade | conformance) true ;;
    *) return 1 ;;
  esac
}

# ---- how far a layer is: progress_LAYER LOG

progress_lint() { echo "$(count -fsyntax-only "$1") of $(find src test -name '*.cpp' | wc -l) files"; }
progress_unit() { echo "$(count ' -c ' "$1") files compiled"; }
progress_regress() { echo "$(count '\.\.\. |^(not )?ok ' "$1") of $(names sql sql | wc -w) tests"; }
progress_isolation() { echo "$(count '\.\.\. |^(not )?ok ' "$1") of $(names specs spec | wc -w) tests"; }

progress_tap() {
  local files=("${tests[@]}")
  if [ ${#files[@]} = 0 ]; then files=(test/t/*.pl); fi
  echo "$(count '\.pl \.+ ' "$1") of ${#files[@]} files"
}

# The last line of one long test.
progress_torture() { progress_apt "$1"; }
progress_upgrade() { progress_apt "$1"; }
progress_conformance() { progress_apt "$1"; }

# ---- running them

# step NAME: runs it with its output in the log, and prints one line, or all that helps when it failed.
# What failed without a failed test (a crash, a compiler's error) counts as one.
step() {
  local name=$1 log="$work/log/$1.log" start=$SECONDS status=0 good bad
  with_progress "$name" "progress_$name" "$log" "run_$name" || status=$?
  read -r good bad <<< "$("count_$name" "$log" || true)"
  good=${good:-0}
  bad=${bad:-0}
  if [ "$status" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  passed=$((passed + good))
  failed=$((failed + bad))
  if [ "$bad" != 0 ]; then
    "show_$name" || true
    printf '%-10s FAILED  %4d passed, %d failed  (%d s)\n' "$name" "$good" "$bad" $((SECONDS - start))
    return 1
  fi
  printf '%-10s ok      %4d passed            (%d s)\n' "$name" "$good" $((SECONDS - start))
}

needs_server() {
  case $1 in regress | isolation | tap | torture | upgrade | conformance) return 0 ;; *) return 1 ;; esac
}

built=
build_once() {
  if [ -z "$built" ]; then
    if step build; then built=yes; else built=no; fi
  fi
  [ "$built" = yes ]
}

trap 'exit 130' INT

for layer in "${layers[@]}"; do
  if ! has_tests "$layer"; then
    echo "$layer: no tests"
  elif ! needs_server "$layer" || build_once; then
    step "$layer" || true
  fi
done

if [ "$failed" != 0 ]; then echo "kept: $work"; fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
