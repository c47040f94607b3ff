#!/bin/bash
# tests/gpu/run_all.sh [--out FOLDER] [--model DIR] [--peer PYTHON]: for whoever has GPUs: builds the programs and the
# CUDA plug-in, runs every test and benchmark that needs a GPU, and writes gpu.json and gpu.md into FOLDER (runs/gpu).
# What it measures is said in suite.py. A test that fails does not keep the others from running; the exit code says it.
#
#   --model   a model folder in Hugging Face's layout, for the benchmarks (SmolLM2-135M, which make demo downloads)
#   --peer    a Python with transformers, TRL and a torch with CUDA: they are measured beside srlm
set -euo pipefail
cd "$(dirname "$0")/../.."
make build cuda
exec python3 tests/gpu/suite.py build "$@"
