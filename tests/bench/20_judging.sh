#!/bin/bash
# Votes a second, against transformers judging the same answers.
set -euo pipefail
cd "$SRLM_SOURCE"
exec "$SRLM_PYTHON_REFERENCE" tests/bench/judging.py
