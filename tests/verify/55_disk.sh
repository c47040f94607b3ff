#!/bin/bash
# Every way in which a disk has no room, in every phase of a run: it waits, and makes what an undisturbed one makes.
set -euo pipefail
exec python3 "$SRLM_SOURCE/tests/faults/disk_faults.py" "$SRLM_BIN" "${SRLM_SEED:-1}"
