#!/bin/bash
# Token ids, decoding and rendered chat templates on all of the shared data, against Hugging Face.
set -euo pipefail
exec "$SRLM_PYTHON_REFERENCE" "$SRLM_SOURCE/tests/reference/verify_text.py" "$SRLM_BIN/../tests/bin/text_rows"
