#!/usr/bin/env bash
# Builds the copy in WORK/src and makes a server find it. Sourced by what test/run and demo/run start as an
# unprivileged user, with `work` set.
# shellcheck disable=SC2154,SC2034

# A user's own settings for PostgreSQL, make or locale must not decide what happens here.
pg_config=$PG_CONFIG
unset "${!PG@}" "${!LC_@}" "${!MAKE@}"
export PG_CONFIG=$pg_config LANG=C.UTF-8

bin=$("$PG_CONFIG" --bindir)
major=$("$PG_CONFIG" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')
export TEMP_CONFIG=$work/temp.conf

# Where the server finds extensions, in install directory $1. Before 18 that is Debian's own setting.
extension_path() {
  if [ "$major" -ge 18 ]; then
    echo "extension_control_path = '$1$("$PG_CONFIG" --sharedir):\$system'"
  else
    echo "extension_destdir = '$1'"
  fi
}

# Nothing is installed into the system: these settings tell the server where the extension is. A server that has neither
# setting (built from PostgreSQL's own source, before 18) searches only its own folders, so the extension goes there.
destdir=$work/install
if [ "$major" -lt 18 ] && ! "$bin/postgres" --describe-config | grep '^extension_destdir' > /dev/null; then destdir=; fi

write_temp_config() {
  cat test/places.conf - > "$TEMP_CONFIG" <<CONF
shared_preload_libraries = 'hydra_export'
CONF
  if [ -z "$destdir" ]; then return; fi
  cat >> "$TEMP_CONFIG" <<CONF
$(extension_path "$destdir")
dynamic_library_path = '$destdir$("$PG_CONFIG" --pkglibdir):\$libdir'
CONF
}

# Objects that were compiled with other flags are of no use.
clean_if_flags_changed() {
  if [ -e "$work/flags" ] && [ "$(cat "$work/flags")" != "$1" ]; then make clean; fi
  echo "$1" > "$work/flags"
}

# build FLAGS [test-module]: and installs it into the work directory. In a chain, because `set -e` does not hold where
# the caller looks at the status.
build() {
  clean_if_flags_changed "$1" \
    && make -j"$(nproc)" all ${2:+"$2"} EXTRA_CXXFLAGS="$1" \
    && rm -rf "$work/install" \
    && make install ${2:+"install-$2"} EXTRA_CXXFLAGS="$1" DESTDIR="$destdir" \
    && write_temp_config
}

cd "$work/src" || exit
