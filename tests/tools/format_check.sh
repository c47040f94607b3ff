#!/bin/bash
# format_check.sh ROOT: every C++ file below ROOT is as clang-format-19 writes it; names those that are not.
set -euo pipefail
cd "$1"
formatter=$(command -v clang-format-19) || { echo "clang-format-19 is not installed (make setup)" >&2; exit 1; }
unformatted=$(find . \( -name .git -o -name build -o -name runs -o -name target \) -prune \
  -o \( -name '*.cc' -o -name '*.h' \) -print0 |
  xargs -0 -r "$formatter" --dry-run 2>&1 | sed -n 's/^\([^:]*\):.*clang-format-violations.*/\1/p' | sort -u)
if [ -n "$unformatted" ]; then
  echo "$unformatted"
  echo "not formatted: run 'make format'" >&2
  exit 1
fi
