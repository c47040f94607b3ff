#!/bin/bash
# Every unit test, trainer and MPI ranks included, under the address and undefined behaviour sanitizers; those of the
# coordinator, the engine and what runs threads for them under the thread sanitizer. Builds both presets first.
set -uo pipefail
cd "$SRLM_SOURCE" || exit 1
status=0

# figure NAME PRESET TARGET CTEST-ARGUMENTS...: the number of tests that failed, of how many.
figure() {
  local name=$1 log=$SRLM_OUT/sanitizers_$2.log failed total pass=true
  shift
  tests/sanitizers/run.sh "$@" 2>&1 | tee "$log"
  [ "${PIPESTATUS[0]}" = 0 ] || pass=false status=1
  read -r failed total < <(sed -nE 's/.*, ([0-9]+) tests failed out of ([0-9]+)$/\1 \2/p' "$log")
  printf '{"figure": "%s: failures of %s tests", "value": %s, "limit": "0", "pass": %s}\n' \
    "$name" "${total:-0}" "${failed:-null}" $pass
}

figure "unit tests under address and undefined behaviour sanitizers" asan all --label-regex '^unit$'
figure "tests of coordinator and engine under the thread sanitizer" tsan torchless_tests \
  --label-regex '^torchless$' --label-regex '^(coordinator|worker|common/parallel|common/rpc)'
exit $status
