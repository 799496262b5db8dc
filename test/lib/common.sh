# What test/run and demo/run share: packages, a build directory, and the unprivileged user that works in it.
# Sourced, with `root` set to the checkout.
# shellcheck shell=bash disable=SC2034,SC2154

# shellcheck source=test/lib/progress.sh
. "$root/test/lib/progress.sh"

PG_MAJOR=${PG_MAJOR:-15}
export PG_CONFIG=${PG_CONFIG:-/usr/lib/postgresql/$PG_MAJOR/bin/pg_config}

BUILD_PACKAGES=(g++ make "postgresql-server-dev-$PG_MAJOR" libcurl4-openssl-dev libssl-dev libjansson-dev
  pkg-config libisal-dev libzstd-dev)
SERVER_PACKAGES=("postgresql-$PG_MAJOR")
S3_PACKAGES=(radosgw ceph-mon ceph-osd curl openssl perl)
ASSERT_PACKAGES=(dpkg-dev bison flex libicu-dev libxml2-dev zlib1g-dev libreadline-dev)
TEST_PACKAGES=(clang clang-format libgtest-dev libipc-run-perl perl python3 zstd)

say() {
  echo "$*"
}

die() {
  echo "error: $*" >&2
  exit 1
}

# ---- packages

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 --no-install-recommends "$@" < /dev/null
}

# Installing a PostgreSQL server on Debian creates a cluster and starts it, which nobody asked for here. This file
# tells it not to; it is there only while packages are being installed.
NO_CLUSTER=/etc/postgresql-common/createcluster.d/hydra_export-no-cluster.conf

allow_cluster() {
  as_root rm -f "$NO_CLUSTER"
  as_root rmdir --ignore-fail-on-non-empty "$(dirname "$NO_CLUSTER")"
}

# In a subshell, so that the file goes away however this ends.
apt_install() (
  trap allow_cluster EXIT
  as_root install -D -m 644 /dev/stdin "$NO_CLUSTER" <<< 'create_main_cluster = false' \
    && apt_get update \
    && apt_get install "$@"
)

install_packages() {
  local package log missing=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || command -v sudo > /dev/null || die "as root, run: apt-get install ${missing[*]}"
  say "Installing with apt: ${missing[*]}"
  log=$(mktemp)
  with_progress apt progress_apt "$log" apt_install "${missing[@]}" || { tail -n 30 "$log"; die "apt-get failed; its whole output is in $log"; }
  rm -f "$log"
}

# ---- the build directory

# PostgreSQL refuses to run as root.
as_tester() {
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=postgres --regid=postgres --init-groups env HOME="$work" TMPDIR="$work/tmp" "$@"
  else
    env TMPDIR="$work/tmp" "$@"
  fi
}

# Sets `work`: $BUILD_DIR, or a new directory. Its path must be short, as sockets are in it (107 bytes at most).
make_work_dir() {
  local tmp=${TMPDIR:-/tmp}
  work=
  # Root's own directory may be closed to others.
  as_tester test -w "$tmp" || tmp=/tmp
  umask 022
  if [ -n "${BUILD_DIR:-}" ]; then
    work=$(realpath -m "$BUILD_DIR")
    as_tester mkdir -p "$work" || die "the user $(as_tester id -un) cannot write to $work"
  else
    work=$(as_tester mktemp -d "$tmp/hydra_export.XXXXXX")
  fi
  as_tester mkdir -p "$work/src" "$work/tmp"
}

# Copies the checkout, which may be read-only or closed to the tester, without what was built in it.
# Files that went away since the last copy go away here too, because the Makefile takes what is there. Those that
# changed get the time of the copy: one that was edited while an earlier copy compiled would else look older than its
# object file.
copy_checkout() {
  local ignored=('*.o' '*.d' '*.so' ./.git ./build ./log ./results ./output_iso ./tmp_check)
  cd /
  tar -C "$root" --anchored "${ignored[@]/#/--exclude=}" --mode=u+rwX,go+rX -cf - . \
    | as_tester tee "$work/checkout.tar" > /dev/null
  # shellcheck disable=SC2016
  as_tester bash -euo pipefail -c '
    cd "$0"
    tar -tf checkout.tar | grep -v "/$" | sort > files.new
    if [ -e files ]; then comm -23 files files.new | (cd src && xargs -r -d "\n" rm -f); fi
    mv files.new files
    rm -rf fresh
    mkdir fresh
    tar -C fresh -xf checkout.tar
    while IFS= read -r file; do
      cmp -s "fresh/$file" "src/$file" && continue
      mkdir -p "src/$(dirname "$file")"
      cp --preserve=mode "fresh/$file" "src/$file"
    done < files
    rm -r checkout.tar fresh' "$work"
}

# Where this system's packages come from.
debian_mirror() {
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | sort -u | head -n 1
}

# Sets PG_CONFIG to a server with assertions, which is built when it is not there.
use_assert_server() {
  [ -n "${BUILD_DIR:-}" ] || die "ASSERT needs a BUILD_DIR, which keeps the server"
  install_packages "${ASSERT_PACKAGES[@]}"
  make_work_dir
  [ -x "$work/assert/postgresql/bin/pg_config" ] || say "Building PostgreSQL $PG_MAJOR in $work/assert"
  # The checkout may be closed to the tester.
  as_tester bash -s "$work/assert" "$(debian_mirror)" < "$root/test/lib/assert_server.sh" > "$work/assert.log" 2>&1 \
    || { tail -n 30 "$work/assert.log"; die "no server; see $work/assert.log"; }
  export PG_CONFIG=$work/assert/postgresql/bin/pg_config
}

# run_in_copy SCRIPT ARGUMENT...: runs SCRIPT WORK ARGUMENT... of a copy of the checkout, as the tester. The copy is
# removed, but kept to be looked at when the script failed (130 is an interrupt).
run_in_copy() {
  local status=0
  make_work_dir
  copy_checkout
  as_tester bash "$work/src/$1" "$work" "${@:2}" < /dev/null || status=$?
  if [ -z "${BUILD_DIR:-}" ] && { [ "$status" = 0 ] || [ "$status" = 130 ]; }; then rm -rf "$work"; fi
  return "$status"
}
