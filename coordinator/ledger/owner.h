// RUN/owner.lock: which process a run belongs to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/status.h"

namespace srlm::ledger {

/// Who holds a run.
struct Owner {
  std::string host;
  int64_t pid = 0;
  uint64_t process_start = 0;  // clock ticks after boot: a reused pid has another
  std::string boot_id;         // of the kernel that runs the process
  std::string pid_namespace;   // in which the pid counts: a container has its own
  std::string slurm_job_id;    // empty: no job of Slurm
  int slurm_restart = 0;       // how often Slurm has started that job again
  uint64_t epoch = 0;          // 0 until the owner has read the ledger
  bool released = false;       // it has given the run up

  bool operator==(const Owner&) const = default;
};

/// This process, with epoch 0.
Owner ThisProcess();

/// "process 17 on host a (epoch 4, Slurm job 99)", for messages.
std::string Describe(const Owner& owner);

std::string OwnerText(const Owner& owner);
/// DataLoss, with what to do, when the text is none that OwnerText wrote; `path` is named.
Result<Owner> ParseOwner(const std::string& text, const std::string& path);

/// The owner of a run, and how long ago it last renewed its lock, by the file system's own clock: the same for every
/// host.
struct LastSeen {
  Owner owner;
  double age_s = 0;
};
/// NotFound when nobody holds the run.
Result<LastSeen> ReadOwnerLock(const std::string& run_dir);

/// How an owner is known to have ended; none when it may live:
///   its process on this machine is gone, or is a zombie;
///   this machine has started anew since, and the lock was not renewed for a minute;
///   Slurm has started its job again, as this process, or knows (squeue) that the job is over.
std::optional<std::string> ProofOfEnd(const LastSeen& seen);

}  // namespace srlm::ledger
