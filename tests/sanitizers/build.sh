#!/bin/bash
# tests/sanitizers/build.sh asan|tsan [TARGET...]: brings build/<preset> up to date, all of it or these targets, with
# the libraries that the release build was told to use. JOBS=n compiles with n jobs (2).
set -euo pipefail
cd "$(dirname "$0")/../.."
preset=$1
shift
if [ ! -e "build/$preset/build.ninja" ]; then
  settings=()
  for name in SRLM_CACHE SRLM_TORCH SRLM_CARGO SRLM_CARGO_TARGET CMAKE_PREFIX_PATH MPI_HOME; do
    value=$(sed -n "s/^$name:[A-Z]*=//p" build/CMakeCache.txt 2>/dev/null || true)
    [ -z "$value" ] || settings+=("-D$name=$value")
  done
  cmake --preset "$preset" "${settings[@]}"
fi
cmake --build "build/$preset" --parallel "${JOBS:-2}" --target "${@:-all}"
