#!/bin/bash
# transformers loads the models of the last `make demo` (SRLM_RUN, or runs/demo) and computes what srlm computes.
set -uo pipefail
cd "$SRLM_SOURCE" || exit 1
run=${SRLM_RUN:-runs/demo}
for model in M1 M2 M3; do
  [ -d "$run/models/$model" ] || { echo "no $run/models/$model: run 'make demo' first, or set SRLM_RUN" >&2; exit 1; }
done
exec "$SRLM_PYTHON_REFERENCE" tests/reference/load_models.py "$run"/models/M{1,2,3}
