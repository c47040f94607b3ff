#!/bin/bash
# Training that was killed goes on to the same bits, on the real model (tiny models: trainer_resume_test).
set -uo pipefail
exec "$SRLM_PYTHON_REFERENCE" "$SRLM_SOURCE/tests/reference/training_resume.py"
