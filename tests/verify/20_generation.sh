#!/bin/bash
# Greedy tokens, log-probabilities of real answers and those recorded while sampling, against transformers.
set -uo pipefail
cd "$SRLM_SOURCE" || exit 1
status=0
"$SRLM_PYTHON_REFERENCE" tests/reference/greedy.py || status=1
"$SRLM_PYTHON_REFERENCE" tests/reference/logprobs.py pairs || status=1
"$SRLM_PYTHON_REFERENCE" tests/reference/logprobs.py recorded || status=1
exit $status
