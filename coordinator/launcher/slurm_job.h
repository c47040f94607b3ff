// The Slurm job that this process is the batch script of.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/config/config.h"

namespace srlm::launcher {

struct SlurmJob {
  std::string id;
  int restarts = 0;                // how often it was put back into the queue
  std::vector<std::string> nodes;  // of its allocation, the batch script's first
  std::vector<int> cpus;           // allocated on each of them
};

/// Looks a variable up; none when it is not set.
using GetVariable = std::function<std::optional<std::string>(const std::string& name)>;

/// From the environment that Slurm gives a batch script; asks `scontrol` for the nodes' names. FailedPrecondition, with
/// what to do, outside of a job; NotFound when Slurm's commands are not in PATH.
Result<SlurmJob> ThisSlurmJob();
Result<SlurmJob> ThisSlurmJob(const GetVariable& variable);

/// Whether the job has a CPU for each thread of the workers, and for each of the trainer, which come in turns.
/// FailedPrecondition, with what it has and what to ask for, when it has too few.
Status CheckFits(const SlurmJob& job, const config::RunConfig& config);

/// SLURM_JOB_CPUS_PER_NODE, "2(x3),4", as a number a node. InvalidArgument when it is not that.
Result<std::vector<int>> ParseCpus(const std::string& text);

/// squeue's "%L %e": the time left of the job's limit, "1-02:03:04" or "3:04", and its end, in seconds since 1970,
/// which a job that is to make room for another has earlier. The seconds until the earlier one; none without a limit.
std::optional<double> ParseTimeLeft(const std::string& text, int64_t now_ms);

/// Puts the job back into the queue: Slurm ends this process and starts the batch script again later. Waits for
/// Slurm's answers, at most 60 s. FailedPrecondition when the job does not run any more as far as Slurm is concerned:
/// somebody cancelled it, and it must not come back.
Status Requeue(const SlurmJob& job);

}  // namespace srlm::launcher
