#!/bin/bash
# cluster.sh up|down FOLDER [NODES]: a Slurm cluster of one's own on this host, for tests: slurmctld, NODES slurmd (3)
# that believe to be hosts node1, node2, ..., and munged with a key of its own. Everything lies in FOLDER, listens on
# loopback on free ports, and ends with `down`, by the process ids in FOLDER/run. Programs find it by
# SLURM_CONF=FOLDER/slurm.conf. Needs the packages slurm-wlm and munge, and root or the capability to name hosts. Jobs are
# the caller's alone.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
command=$1
folder=$(mkdir -p "$2" && cd "$2" && pwd)
nodes=${3:-3}
cpus=${SRLM_TEST_CPUS_PER_NODE:-2}
export SLURM_CONF=$folder/slurm.conf

fail() {
  echo "cluster.sh: $1" >&2
  exit 1
}

up() {
  local program port node
  for program in munged slurmctld slurmd sinfo unshare; do
    command -v $program >/dev/null ||
      fail "$program is missing: apt-get install -y --no-install-recommends slurm-wlm munge"
  done
  mkdir -p "$folder"/{munge,state,log,run,spool}
  chmod 700 "$folder/munge"
  (umask 377 && head -c 128 /dev/urandom >"$folder/munge/key")
  munged --force --num-threads=2 --key-file="$folder/munge/key" --socket="$folder/run/munge.sock" \
    --pid-file="$folder/run/munged.pid" --log-file="$folder/log/munged.log" --seed-file="$folder/munge/seed"
  mapfile -t ports < <(free_ports $((nodes + 1)))
  configuration >"$SLURM_CONF"
  slurmctld -c -f "$SLURM_CONF"
  for ((node = 1; node <= nodes; ++node)); do
    unshare --uts sh -c 'hostname "$0" && exec slurmd -N "$0" -f "$SLURM_CONF"' "node$node"
  done
  local deadline=$((SECONDS + 30))
  until [ "$(sinfo --noheader --Node --format=%t 2>/dev/null | grep -cx idle)" = "$nodes" ]; do
    [ $SECONDS -lt $deadline ] || fail "the nodes are not idle after 30 s; logs are in $folder/log"
    read -rt 0.1 <> <(:) || true # a pause without a process
  done
}

configuration() {
  cat <<CONF
ClusterName=test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=${ports[0]}
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$folder/run/munge.sock,cred_expire=5
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool/%n
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd-%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
CommunicationParameters=NoCtldInAddrAny
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2
KillWait=10
InactiveLimit=0
SlurmctldTimeout=10
SlurmdTimeout=10
JobRequeue=1
PropagateResourceLimits=NONE
RebootProgram=/bin/true
TmpFS=$folder/tmp/%n
CONF
  local node
  for ((node = 1; node <= nodes; ++node)); do
    mkdir -p "$folder"/{spool,tmp}/"node$node" # pmix's folders in a common /tmp would have the same names
    echo "NodeName=node$node NodeAddr=127.0.0.1 NodeHostname=node$node Port=${ports[node]} CPUs=$cpus RealMemory=4000 State=UNKNOWN"
  done
  echo "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP"
}

free_ports() {
  python3 - "$1" <<'PYTHON'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for each in held:
    each.bind(("127.0.0.1", 0))
for each in held:
    print(each.getsockname()[1])
PYTHON
}

# Ids of our daemons that still run.
living() {
  local file id
  for file in "$folder"/run/*.pid; do
    [ -s "$file" ] || continue
    id=$(cat "$file" 2>/dev/null) || continue
    if kill -0 "$id" 2>/dev/null; then echo "$id"; fi
  done
}

down() {
  [ -e "$SLURM_CONF" ] || return 0
  scancel --user="$(id -un)" 2>/dev/null || true
  local deadline=$((SECONDS + 20))
  until [ -z "$(squeue --noheader 2>/dev/null)" ] || [ $SECONDS -ge $deadline ]; do read -rt 0.1 <> <(:) || true; done
  local ids
  for signal in TERM KILL; do
    ids=$(living)
    [ -n "$ids" ] || return 0
    kill -$signal $ids 2>/dev/null || true
    deadline=$((SECONDS + 10))
    until [ -z "$(living)" ] || [ $SECONDS -ge $deadline ]; do read -rt 0.1 <> <(:) || true; done
  done
}

case $command in
  up) up ;;
  down) down ;;
  *) fail "no command $command" ;;
esac
