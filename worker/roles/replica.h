// The run mode of srlm-worker: one replica of the model that leases work from a run's coordinator.
#pragma once

#include <string>

#include "common/base/status.h"

namespace srlm::worker {

struct ReplicaOptions {
  std::string run_dir;
  std::string launch_id;        // empty: started by hand
  int threads = 0;              // 0: as the run says, else cores / ranks on this host
  double start_timeout_s = 10;  // to find a coordinator at the start
  double orphan_timeout_s = 0;  // without a coordinator, once at work; 0: as the run says
};

/// Joins the run, works until it is told to leave, and returns. Engine steps never wait for the network: the calls
/// run on a thread of their own. SIGTERM and SIGINT are notice: the step is finished and the leases go back.
/// Unavailable when no coordinator answers in time; results that nobody acknowledged are then saved in the run's logs,
/// and the next worker hands them in.
Status RunReplica(const ReplicaOptions& options, int* argc, char*** argv);

}  // namespace srlm::worker
