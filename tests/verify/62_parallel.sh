#!/bin/bash
# Many ranks: a replica of three on the real model, what a training step is made of on 1, 2 and 4 ranks, replicas and
# sharded training over two hosts (network namespaces), and what they send.
set -uo pipefail
cd "$SRLM_SOURCE" || exit 1
status=0
python3 tests/parallel/workers_figures.py || status=1
python3 tests/parallel/training_figures.py || status=1
python3 tests/hosts/parallel_test.py "$SRLM_BIN" || status=1
exit $status
