#!/bin/bash
# A coordinator with a million candidates in its ledger goes on within seconds and answers status queries at once; a dead
# worker has a successor soon.
set -uo pipefail
python3 "$SRLM_SOURCE/tests/faults/restart.py" "$SRLM_BIN" "$SRLM_CACHE/python/bin/python"
status=$?
python3 "$SRLM_SOURCE/tests/faults/relaunch.py" "$SRLM_BIN" && exit $status
