#!/bin/bash
# rsh_agent.sh HOST COMMAND...: runs COMMAND on a host of sandbox.py, with its network, name and /etc/hosts; as `ssh HOST`
# would, a shell reads the words there. For mpirun (plm_rsh_agent) and for the tests.
set -euo pipefail
host=$1
shift
exec nsenter "--net=/run/netns/$host" unshare --uts --mount --propagation private sh -c '
  hostname "$0" && mount --bind "$SRLM_TEST_HOSTS" /etc/hosts && exec sh -c "$1"' "$host" "$*"
