#!/bin/bash
# tests/results/run.sh: the real 135M model on real data: seed data, SFT, two rounds, figures, and docs/results.md.
# At most 2 hours on 2 quiet cores. Stopped and started again it goes on: a step that was done is not done again, and
# prepare and the run go on inside. All of it is in ${SRLM_RESULTS:-runs/results-<size>}; remove that folder to begin anew.
#
# Environment: SRLM_SHARED, the folder with data/oasst2_ranked_answers.jsonl and the other files of its README;
# SRLM_RESULTS_SIZE=small for a trial of minutes, which writes $SRLM_RESULTS/results.md and no figures for the docs;
# SRLM_RESULTS_MODEL, another M0; SEED (1).
set -euo pipefail
cd "$(dirname "$0")/../.."
fail() {
  echo "results: $1" >&2
  exit 1
}
data=${SRLM_SHARED:-../shared}/data
[ -r "$data/oasst2_ranked_answers.jsonl" ] || fail "no ranked answers in $data: set SRLM_SHARED"
size=${SRLM_RESULTS_SIZE:-whole}
case $size in
whole)
  page=docs/results.md
  eft_prompts=75 probe=64 ift_rows=128 given=24 new=24 measured=0 compared=24
  ;;
small)
  page=
  eft_prompts=4 probe=4 ift_rows=4 given=4 new=1 measured=4 compared=2
  ;;
*) fail "SRLM_RESULTS_SIZE is '$size'; wanted whole or small" ;;
esac
export SRLM_RESULTS=${SRLM_RESULTS:-$PWD/runs/results-$size}
mkdir -p "$SRLM_RESULTS/data" "$SRLM_RESULTS/done"
model=${SRLM_RESULTS_MODEL:-${SRLM_CACHE:-$HOME/.cache/srlm}/models/SmolLM2-135M-Instruct}
seed=${SEED:-1}
bin=build/bin
run=$SRLM_RESULTS/run

# What is done in a folder is of one size, seed, model and configuration.
asked="$size, seed $seed, model $model, results.yaml $(sha256sum tests/results/results.yaml | cut -c1-16)"
[ -e "$SRLM_RESULTS/asked" ] || echo "$asked" >"$SRLM_RESULTS/asked"
[ "$(cat "$SRLM_RESULTS/asked")" = "$asked" ] ||
  fail "$SRLM_RESULTS was begun with '$(cat "$SRLM_RESULTS/asked")', now '$asked': set SRLM_RESULTS to another folder, or remove it"

# step NAME COMMAND...: runs the command unless it has succeeded before, and keeps its line and the seconds of each try.
step() {
  local name=$1 mark="$SRLM_RESULTS/done/${1//[^A-Za-z0-9]/-}" begin=$SECONDS code=0
  shift
  [ ! -e "$mark" ] || return 0
  echo "results: $name"
  "$@" || code=$?
  printf '%s\t%s\t%s\n' "$name" "$((SECONDS - begin))" "$*" >>"$SRLM_RESULTS/steps.tsv"
  [ $code = 0 ] || exit $code
  touch "$mark"
}

# folder_of M0|M1|M2|M3: that model's folder.
folder_of() { [ "$1" = M0 ] && echo "$model" || echo "$run/models/$1"; }

parts=$SRLM_RESULTS/data
step "seed data" $bin/srlm prepare "$data/oasst2_ranked_answers.jsonl" --out "$SRLM_RESULTS/prepared" --model "$model" \
  --seed "$seed" --evaluation "$data/mt_bench_questions.jsonl" --max-eft-prompts "$eft_prompts" --probe "$probe" \
  --max-new-tokens 80
step "its parts" python3 tests/results/parts.py "$data/oasst2_ranked_answers.jsonl" "$SRLM_RESULTS/prepared" "$parts" \
  "$ift_rows" $((2 * given)) "$compared" "$measured"
step "SFT and two rounds" $bin/srlm run tests/results/results.yaml --run-dir "$run" --set "model=$model" \
  --set "seed=$seed" --set "prompts.per_round=$((given + new))" --set "prompts.new_per_round=$new"
step "judging and answers" $bin/srlm evaluate "$run:M0" "$run:M1" "$run:M2" "$run:M3" --data "$parts/evaluation.jsonl" \
  --prompts "$parts/compared.jsonl" --overlap leave-out --max-new-tokens 128 --seed "$seed" \
  --out "$SRLM_RESULTS/evaluate.json"
for name in M0 M1 M2 M3; do
  step "likelihood of people's answers, $name" $bin/srlm-worker logprobs --model "$(folder_of $name)" \
    --items "$parts/held_out.jsonl" --out "$SRLM_RESULTS/logprobs-$name.jsonl"
done
for pair in "M1 M0" "M2 M1" "M3 M2"; do
  read -r a b <<<"$pair"
  step "head to head, $a against $b" $bin/srlm compare "$run:$a" "$run:$b" \
    --prompts "$parts/compared.jsonl" --judge "$run:M3" --overlap leave-out --max-new-tokens 128 --seed "$seed" \
    --out "$SRLM_RESULTS/compare-$a-$b.json"
done
$bin/srlm inspect "$run" rounds --json >"$SRLM_RESULTS/rounds.jsonl"
python3 tests/results/report.py "$SRLM_RESULTS" "$size" "$(basename "$model")" "${page:-$SRLM_RESULTS/results.md}"
echo "results: ${page:-$SRLM_RESULTS/results.md}"
