#!/bin/bash
# Ten minutes of fuzzing for each target of tests/fuzz, two at a time, from the kept corpora.
set -uo pipefail
cd "$SRLM_SOURCE" || exit 1
exec tests/fuzz/run.sh 600 --figures
