#!/bin/bash
# deploy/demo.sh [--set key=value]...: the demo as a new run, in the first free one of runs/demo-1, runs/demo-2, ...
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p runs
number=1
until mkdir "runs/demo-$number" 2>/dev/null; do # mkdir takes the name, so two demos at once get one each
  number=$((number + 1))
done
echo "demo: runs/demo-$number (srlm status runs/demo-$number answers from another terminal)"
exec build/bin/srlm run deploy/configs/demo.yaml --run-dir "runs/demo-$number" "$@"
