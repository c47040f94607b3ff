#!/bin/sh
# one_slow.sh MARK|none RANKS PROGRAM ARGUMENTS...: a launcher.command whose worker ranks take 5 times as long as they
# need, so that replicas do not fight over the test's cores; the first worker to make the folder MARK takes 100 times.
mark=$1 ranks=$2
shift 2
case $1 in
  *srlm-worker)
    SRLM_SLOWDOWN=5
    [ "$mark" = none ] || { mkdir "$mark" 2>/dev/null && SRLM_SLOWDOWN=100; }
    export SRLM_SLOWDOWN
    ;;
esac
exec mpirun --bind-to none -n "$ranks" "$@"
