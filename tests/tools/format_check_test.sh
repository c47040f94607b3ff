#!/bin/bash
# The format check names a badly formatted file and passes a well formatted one.
set -euo pipefail
tools=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "$tools/../../.clang-format" "$folder"
printf 'int Good() { return 1; }\n' >"$folder/good.cc"
"$tools/format_check.sh" "$folder"
printf 'int  Bad(){return 1;}\n' >"$folder/bad.cc"
if found=$("$tools/format_check.sh" "$folder" 2>/dev/null); then
  echo "a badly formatted file passed" >&2
  exit 1
fi
[ "$found" = ./bad.cc ] || { echo "expected ./bad.cc, got: $found" >&2; exit 1; }
