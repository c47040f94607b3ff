#!/bin/bash
# A run as a Slurm job on three nodes: short time limits, a lost node, a cancelled job and a killed coordinator give what
# a run on one host gives. Needs slurm-wlm and munge, and root or user namespaces.
set -euo pipefail
exec python3 "$SRLM_SOURCE/tests/slurm/slurm_test.py" "$SRLM_BIN" --all
