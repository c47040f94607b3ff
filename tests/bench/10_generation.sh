#!/bin/bash
# Useful tokens a second of sampling, against transformers' static batches.
set -euo pipefail
cd "$SRLM_SOURCE"
exec "$SRLM_PYTHON_REFERENCE" tests/bench/generation.py
