#!/bin/bash
# tests/verify/run.sh [PART...]: the parts of this folder, or those named; see tests/tools/run_figures.sh.
exec "$(dirname "$0")/../tools/run_figures.sh" verify "$@"
