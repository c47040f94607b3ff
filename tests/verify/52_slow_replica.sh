#!/bin/bash
# One slow replica of three delays a round by little: its items are leased a second time.
set -uo pipefail
exec python3 "$SRLM_SOURCE/tests/faults/slow_replica.py" "$SRLM_BIN"
