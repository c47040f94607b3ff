#!/bin/bash
# run_figures.sh verify|bench [PART...]: runs tests/<tier>/[0-9]*.sh in order, or the parts named (`20` or
# `20_dpo.sh`), gathers their figures in build/<tier>/results.{jsonl,md} and puts them into docs/verification.md. Sets up the Python environment with
# torch, transformers and TRL first (once, about 5 GB in the cache).
#
# A part finds in its environment: SRLM_PYTHON_REFERENCE (that Python), SRLM_BIN (our programs), SRLM_MODEL (the
# SmolLM2-135M-Instruct folder), SRLM_SHARED (peers' scripts and real data), SRLM_SOURCE (this tree), SRLM_OUT
# (a folder for its files). What it prints is described in tests/tools/figures.py.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
source "$root/deploy/lib.sh"
tier=$1
shift

parts=()
for part in "$root/tests/$tier"/[0-9]*.sh; do
  [ -x "$part" ] || continue
  name=$(basename "$part")
  if [ $# = 0 ]; then
    parts+=("$part")
  fi
  for wanted in "$@"; do
    case $name in "$wanted" | "$wanted"_* | "$wanted"-*) parts+=("$part") ;; esac
  done
done
[ ${#parts[@]} -gt 0 ] || fail "no part of tests/$tier${*:+ is called $*} (parts are executables named [0-9]*.sh)"

mkdir -p "$SRLM_CACHE"
(
  flock --wait 3600 9 || fail "another set-up has held $SRLM_CACHE/.setup.lock for an hour"
  make_venv "$SRLM_CACHE/venv-reference" "$root/deploy/requirements/reference.txt"
) 9>"$SRLM_CACHE/.setup.lock"

export SRLM_CACHE
export SRLM_PYTHON_REFERENCE=$SRLM_CACHE/venv-reference/bin/python
export SRLM_BIN=$root/build/bin
export SRLM_MODEL=$SRLM_CACHE/models/SmolLM2-135M-Instruct
export SRLM_SOURCE=$root
SRLM_SHARED=$(realpath -m "${SRLM_SHARED:-$root/../shared}")
export SRLM_SHARED
[ -d "$SRLM_SHARED" ] || fail "no folder $SRLM_SHARED: set SRLM_SHARED to the one with bench/ and data/"
export SRLM_OUT=$root/build/$tier
exec python3 "$root/tests/tools/figures.py" "make $tier" "$SRLM_OUT" "$root/docs/verification.md" "${parts[@]}"
