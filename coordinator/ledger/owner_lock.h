// Holding a run: one owner at a time, and one that has lost it writes nothing more.
#pragma once

#include <functional>
#include <string>

#include "common/base/status.h"
#include "coordinator/ledger/owner.h"

namespace srlm::ledger {

struct ClaimOptions {
  bool take_over = false;  // take the run from an owner that may live: a person says so
};

/// Holds a run for this process until it goes away. The file at RUN/owner.lock is the lock: whoever takes the run puts
/// another file there, so an owner knows by the file, not by its content, whether the run is still its own.
class OwnerLock {
 public:
  /// Takes a run that nobody holds, or whose owner has provably ended (ProofOfEnd), or that is to be taken over.
  /// FailedPrecondition otherwise: says who holds it, when it was last heard, and what to do.
  static Result<OwnerLock> Claim(const std::string& run_dir, const ClaimOptions& options = {});
  OwnerLock(OwnerLock&& other) noexcept;
  OwnerLock& operator=(OwnerLock&&) = delete;
  /// Gives the run up, unless it is another's by now.
  ~OwnerLock();

  /// Whether the run was taken from an owner that may still write to what it has open.
  bool displaced() const { return displaced_; }
  const Owner& owner() const { return owner_; }

  /// Fails with Aborted when another process has taken the run. Sees it at once on one host; on a network file system
  /// too, since the file is opened anew.
  Status Check() const;
  /// Writes the epoch into the lock.
  Status SetEpoch(uint64_t epoch);
  /// Shows that this owner lives; to be called every kRenewSeconds.
  Status Renew();
  /// Runs `change` while nobody can take the run. Aborted, without running it, when another process has it.
  Status WhileOurs(const std::function<Status()>& change);

 private:
  OwnerLock(std::string path, Owner owner, int file, bool displaced)
      : path_(std::move(path)), owner_(std::move(owner)), file_(file), displaced_(displaced) {}
  Status PutFirst(const Owner& owner);
  Status Replace(const Owner& owner);
  Status Adopt(const Owner& owner);

  std::string path_;  // empty when moved from
  Owner owner_;
  int file_ = -1;  // the lock, open: it is ours while it is the file at path_
  bool displaced_ = false;
};

inline constexpr double kRenewSeconds = 5;

}  // namespace srlm::ledger
