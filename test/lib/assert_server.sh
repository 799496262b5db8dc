#!/usr/bin/env bash
# Builds PostgreSQL with assertions from Debian's source, as an unprivileged user.
#
#   bash assert_server.sh DIR MIRROR      DIR/postgresql/bin/pg_config is then there
set -euo pipefail

# PostgreSQL's own Makefiles leave things out when they are run by another make.
unset "${!MAKE@}" MFLAGS
dir=$1
mirror=$2
major=15
if [ -x "$dir/postgresql/bin/pg_config" ]; then exit; fi
rm -rf "$dir"
mkdir -p "$dir/apt/lists/partial"
cd "$dir"

# With lists of its own, as a system need not know where sources are.
. /etc/os-release
echo "deb-src $mirror $VERSION_CODENAME main" > apt/sources.list
get() {
  apt-get -q -o Dir::Etc::SourceList="$dir/apt/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$dir/apt/lists" \
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= "$@"
}
get update
get source "postgresql-$major"
cd "postgresql-$major"-*/
# Debian's version has paths of its own for installations whose prefix does not say "postgres".
./configure --prefix="$dir/postgresql" --enable-cassert --enable-debug --enable-tap-tests --with-icu --with-libxml --with-openssl \
  --with-system-tzdata=/usr/share/zoneinfo CFLAGS='-Og -g'
make -s -j"$(nproc)" world-bin
make -s install-world-bin
