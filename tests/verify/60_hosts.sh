#!/bin/bash
# A run over three hosts (network namespaces) whose links are cut, one way and both, or lose a fifth of their packets (a
# replica's, the coordinator's, a trainer rank's), gives what it gives on one host.
set -euo pipefail
exec python3 "$SRLM_SOURCE/tests/hosts/hosts_test.py" "$SRLM_BIN" --all
