#!/bin/bash
# A run over three hosts (network namespaces), one of which is cut off for a while (a replica's, the coordinator's, a
# trainer rank's), gives what it gives on one host.
set -euo pipefail
exec python3 "$SRLM_SOURCE/tests/hosts/hosts_test.py" "$SRLM_BIN"
