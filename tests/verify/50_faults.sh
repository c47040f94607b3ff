#!/bin/bash
# Every failpoint of the programs once, and 60 random fault schedules: one figure each, whose seed replays it.
set -euo pipefail
exec python3 "$SRLM_SOURCE/tests/faults/schedules.py" "$SRLM_BIN" --failpoints --random 60
