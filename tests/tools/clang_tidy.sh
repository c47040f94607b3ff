#!/bin/bash
# clang_tidy.sh [REGEX]: clang-tidy-19 with the tree's .clang-tidy on every file of ours that the asan preset compiles
# without torch, or on those whose path matches. All of them take two cores hours, so no other command calls it.
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/sanitizers/build.sh asan srlm_proto  # generated headers, and the list of commands
exec run-clang-tidy-19 -quiet -j "${JOBS:-2}" -p build/asan "${1:-/(common|coordinator|worker|tests)/.*\.cc$}"
