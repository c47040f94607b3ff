#!/bin/bash
# tests/fuzz/run.sh SECONDS [ARGUMENTS of run.py]: builds the targets and fuzzes each.
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/sanitizers/build.sh asan fuzz_targets
exec python3 tests/fuzz/run.py "$@"
