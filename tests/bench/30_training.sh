#!/bin/bash
# Preference pairs a second of DPO, against TRL's DPOTrainer with a live reference.
set -euo pipefail
cd "$SRLM_SOURCE"
exec "$SRLM_PYTHON_REFERENCE" tests/bench/training.py
