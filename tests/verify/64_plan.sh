#!/bin/bash
# What `srlm plan` says of SmolLM2 on CPU ranks against what runs take: memory of both programs' ranks, time of phases.
set -uo pipefail
exec "$SRLM_PYTHON_REFERENCE" "$SRLM_SOURCE/tests/parallel/plan_figures.py"
