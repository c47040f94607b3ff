#!/bin/bash
# What it costs that every sum has one order.
set -euo pipefail
cd "$SRLM_SOURCE"
exec "$SRLM_PYTHON_REFERENCE" tests/bench/products.py
