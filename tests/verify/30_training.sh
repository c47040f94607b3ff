#!/bin/bash
# DPO against TRL's DPOTrainer and SFT against a plain transformers loop: tiny models on 1, 2 and 4 ranks, and
# SmolLM2 with its total update, for which the peers' trained weights are made here first (1.1 GB in SRLM_OUT).
set -uo pipefail
cd "$SRLM_SOURCE" || exit 1
python=$SRLM_PYTHON_REFERENCE
status=0
"$python" tests/reference/training.py dpo variants --ranks 2 || status=1
for kind in dpo sft; do
  for ranks in 1 2 4; do
    "$python" tests/reference/training.py $kind tiny --ranks $ranks || status=1
  done
  script=$([ $kind = dpo ] && echo dpo_trl.py || echo sft_reference.py)
  theirs=$SRLM_OUT/theirs_$kind
  "$python" tests/reference/$script smollm2 --no-store --out "$theirs" || status=1
  for ranks in 1 2; do
    "$python" tests/reference/training.py $kind smollm2 --ranks $ranks --theirs "$theirs" || status=1
  done
done
exit $status
