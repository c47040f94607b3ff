#!/bin/bash
# Random schedules of the engine, many of a tiny model and some of SmolLM2-135M: every answer, vote and expected verdict
# must have the bits that it has alone. A schedule that fails names the seed that plays it again.
set -uo pipefail
cd "$SRLM_SOURCE" || exit 1
status=0

# figure NAME SCHEDULES [VARIABLE=value]: plays that many schedules.
figure() {
  local name=$1 count=$2 log=$SRLM_OUT/determinism_$1.log pass=true
  shift 2
  env "SRLM_SCHEDULES=$count" "SRLM_SCHEDULE_SEED=1000" "$@" build/tests/bin/determinism_test >"$log" 2>&1 || pass=false status=1
  $pass || cat "$log"
  printf '{"figure": "determinism, %s: first difference in %s schedules", "value": %s, "limit": "0", "pass": %s}\n' \
    "$name" "$count" "$(grep -c 'schedule of seed' "$log")" $pass
}

figure tiny 400
figure SmolLM2-135M 12 "SRLM_SCHEDULE_MODEL=$SRLM_MODEL"
exit $status
