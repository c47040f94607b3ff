#!/bin/bash
# tests/mpirun.sh RANKS PROGRAM [ARGS...]: runs PROGRAM on that many local MPI ranks, as tests and laptops need
# it: ranks share the cores (no binding, oversubscription, waiting ranks yield), talk over shared memory and
# loopback only, and each has cores/ranks threads. Ends after SRLM_MPIRUN_TIMEOUT_S seconds (600 by default).
set -euo pipefail
if [ $# -lt 2 ] || ! [[ $1 =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: tests/mpirun.sh RANKS PROGRAM [ARGS...]" >&2
  exit 2
fi
ranks=$1
shift

# An mpirun that inherits another MPI job's variables fails without a word.
while IFS='=' read -r name _; do
  case $name in OMPI_* | PMIX_* | ORTE_* | OPAL_* | PRTE_*) unset "$name" ;; esac
done < <(env)

if [ "$(id -u)" = 0 ]; then  # containers; everybody else keeps OpenMPI's guard
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
export OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_mpi_yield_when_idle=1        # a waiting rank must not burn the core that another needs
export OMPI_MCA_btl=self,vader,tcp           # shared memory; tcp as loopback only
export OMPI_MCA_btl_tcp_if_include=lo
export OMPI_MCA_oob_tcp_if_include=lo
export OMPI_MCA_btl_vader_single_copy_mechanism=none  # containers forbid reading another process's memory
export OMPI_MCA_plm_rsh_agent=               # no ssh: every rank is on this host
export TMPDIR=${SRLM_MPI_TMPDIR:-/tmp}       # OpenMPI's sockets need a short path

threads=$(($(nproc) / ranks))
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$((threads > 0 ? threads : 1))}
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}

# timeout's own process group: on expiry mpirun gets TERM and ends its ranks; KILL follows 10 s later.
exec timeout --kill-after=10 "${SRLM_MPIRUN_TIMEOUT_S:-600}" \
  mpirun --bind-to none -n "$ranks" "$@" </dev/null
