#!/bin/bash
# transformers loads the models of the last finished `make demo` (or of SRLM_RUN) and computes what srlm computes.
set -uo pipefail
cd "$SRLM_SOURCE" || exit 1
newest=$(ls -td runs/demo{,-*}/models/M3 2>/dev/null | head -1)
run=${SRLM_RUN:-${newest%/models/M3}}
run=${run:-runs/demo-1}
for model in M1 M2 M3; do
  [ -d "$run/models/$model" ] || { echo "no $run/models/$model: run 'make demo' first, or set SRLM_RUN" >&2; exit 1; }
done
exec "$SRLM_PYTHON_REFERENCE" tests/reference/load_models.py "$run"/models/M{1,2,3}
