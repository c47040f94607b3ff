#!/bin/bash
# 60 random fault schedules on a tiny model: one figure each, whose seed replays it; 20 more of a run with what a method
# may add, and with it every failpoint of the programs once. Then a kill of each program in one run of the 135M model.
set -euo pipefail
python3 "$SRLM_SOURCE/tests/faults/schedules.py" "$SRLM_BIN" --random 60
python3 "$SRLM_SOURCE/tests/faults/schedules.py" "$SRLM_BIN" --failpoints --random 20 \
  --config "$SRLM_SOURCE/tests/faults/method.yaml"
python3 "$SRLM_SOURCE/tests/faults/schedules.py" "$SRLM_BIN" --each-program --longest-s 2400 \
  --config "$SRLM_SOURCE/tests/e2e/short.yaml"
