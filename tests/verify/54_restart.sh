#!/bin/bash
# A coordinator with a million candidates in its ledger goes on within seconds, and answers status queries at once.
set -uo pipefail
exec python3 "$SRLM_SOURCE/tests/faults/restart.py" "$SRLM_BIN" "$SRLM_CACHE/python/bin/python"
