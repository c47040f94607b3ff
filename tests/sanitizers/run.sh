#!/bin/bash
# tests/sanitizers/run.sh asan|tsan TARGET CTEST-ARGUMENTS...: builds TARGET of that preset and runs its tests that the
# arguments choose. Whatever a sanitizer finds ends the test that did it, with its report.
set -euo pipefail
cd "$(dirname "$0")/../.."
preset=$1 target=$2
shift 2
tests/sanitizers/build.sh "$preset" "$target"
exec ctest --test-dir "build/$preset" --parallel 2 --output-on-failure --no-tests=error "$@"
