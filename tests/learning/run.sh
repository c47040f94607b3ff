#!/bin/bash
# run.sh [learn.py's options]: the small world with a truth, all seeds and arms, in runs/learning; goes on where it was.
set -euo pipefail
cd "$(dirname "$0")/../.."
source deploy/lib.sh
exec "$SRLM_CACHE/python/bin/python" tests/learning/learn.py build/bin runs/learning --docs docs "$@"
