#!/usr/bin/env bash
# Looks that what is cited is there: headings of doc/*.md that comments name, tests and files that doc/*.md name.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
wrong=0
missing() { echo "error: $1"; wrong=1; }

# A citation may go over two lines of a comment.
cited=$(find src test sql -type f -name '*.[chsp]*' -exec cat {} + | sed -E ':join; /doc\/[a-z]+\.md, "[^"]*$/ { N; s,\n *(//|#|--) *, ,; b join }' \
  | grep -oE 'doc/[a-z]+\.md, "[^"]+"' | sort -u)
while IFS= read -r citation; do
  file=${citation%%,*}
  heading=${citation#*\"}
  grep -qxF "## ${heading%\"}" "$file" || missing "there is no heading \"${heading%\"}\" in $file"
done <<< "$cited"

for page in doc/*.md; do
  for test in $(grep -oE '`[0-9]{3}_[a-z0-9_]+`' "$page" | tr -d '`' | sort -u); do
    [ -e "test/t/$test.pl" ] || missing "$page names the test $test, which does not exist"
  done
  for path in $(grep -oE '`(src|test|demo|sql)/[A-Za-z0-9_./-]+`' "$page" | tr -d '`' | sort -u); do
    [ -e "$path" ] || missing "$page names $path, which does not exist"
  done
done
exit $wrong
