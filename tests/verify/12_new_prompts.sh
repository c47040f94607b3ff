#!/bin/bash
# A new prompt is compared with all that were accepted: how long that takes with 100,000 of them, whether it finds what
# comparing with all finds, and how soon a coordinator that has so many goes on.
set -uo pipefail
status=0
"$SRLM_BIN/../tests/bin/bench_rouge" 100000 1000 200 || status=1
python3 "$SRLM_SOURCE/tests/faults/restart_prompts.py" "$SRLM_BIN" || status=1
exit $status
