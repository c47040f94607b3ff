// The run mode of srlm-worker: one replica of the model that leases work from a run's coordinator.
#pragma once

#include <string>

#include "common/base/status.h"
#include "common/parallel/communicator.h"
#include "worker/commands/options.h"
#include "worker/engine/group.h"

namespace srlm::worker {

struct ReplicaOptions {
  std::string run_dir;
  std::string launch_id;  // empty: started by hand
  config::DeviceChoice device;
  int threads = 0;              // 0: as the run says, else cores / ranks on this host
  double start_timeout_s = 10;  // to find a coordinator at the start
  double orphan_timeout_s = 0;  // without a coordinator, once at work; 0: as the run says
  double rank_timeout_s = 600;  // of each wait for the replica's other ranks
};

/// Joins the run, works until it is told to leave, and returns. Engine steps never wait for the network: the calls
/// run on a thread of their own. SIGTERM and SIGINT are notice: the step is finished and the leases go back.
/// Unavailable when no coordinator answers in time; results that nobody acknowledged are then saved in the run's logs,
/// and the next worker hands them in. `group`: the ranks that hold the model with this one; null: none.
/// `arithmetic_id`: of the bits that they compute (arithmetic.h). `compute.threads` 0: as the run says.
Status RunReplica(const ReplicaOptions& options, const ComputeOptions& compute, GroupLeader* group,
                  const std::string& arithmetic_id);

/// The life of each other rank of a replica: it logs beside the first one, and follows it. SIGTERM here is notice for
/// the replica. A failure means that the ranks are apart.
Status FollowReplica(const ReplicaOptions& options, const ComputeOptions& compute, parallel::Communicator& group);

}  // namespace srlm::worker
