#!/bin/bash
# The expected verdict of the judge, against transformers.
set -uo pipefail
cd "$SRLM_SOURCE" || exit 1
exec "$SRLM_PYTHON_REFERENCE" tests/reference/expected.py
