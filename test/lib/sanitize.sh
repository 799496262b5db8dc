# Has servers run under ASan and UBSan. Sourced by layers.sh, with `work` and `bin` set.
# shellcheck shell=bash disable=SC2154,SC2034

sanitizers='-O1 -fsanitize=address,undefined -fno-sanitize-recover=all'

# The sanitizers' libraries have to be there before the extension is loaded, and in `postgres` alone. Programs look for it
# where they are themselves.
make_sanitized_bin() {
  local preload=$work/no_gettext.so library
  # Otherwise Debian's server does not get past this call, which comes before anything is logged.
  echo 'char *bindtextdomain(const char *domain, const char *folder) { (void)domain; return (char *)folder; }' \
    | gcc -shared -fPIC -x c - -o "$preload"
  for library in libubsan.so libasan.so; do
    preload="$(realpath "$(gcc -print-file-name=$library)") $preload"
  done
  rm -rf "${work:?}/bin"
  cp -rL "$bin" "$work/bin"
  cat > "$work/bin/postgres" <<SCRIPT
#!/bin/sh
export LD_PRELOAD='$preload' ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1
exec '$bin/postgres' "\$@"
SCRIPT
  bin=$work/bin
}

# no_reports DIR: whether no log in it has a sanitizer's report. (A backend that makes one is aborted.)
no_reports() {
  ! grep -rE -A 20 'ERROR: AddressSanitizer|runtime error:' "$1"
}

make_sanitized_bin
EXTRA_CXXFLAGS="${EXTRA_CXXFLAGS:-} $sanitizers"
