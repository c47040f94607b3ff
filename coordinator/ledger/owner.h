// RUN/owner.lock: which process a run belongs to.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/status.h"

namespace srlm::ledger {

/// Who holds a run.
struct Owner {
  std::string host;
  int64_t pid = 0;
  uint64_t process_start = 0;  // clock ticks after boot (/proc/<pid>/stat): a reused pid has another
  uint64_t epoch = 0;          // 0 until the owner has read the ledger

  bool operator==(const Owner&) const = default;
};

/// This process, with epoch 0.
Owner ThisProcess();

/// Holds a run for this process until it goes away, which leaves the lock of another one alone.
class OwnerLock {
 public:
  /// Creates RUN/owner.lock, which must not exist. A lock whose process has ended on this host (a zombie has) is taken
  /// over.
  /// FailedPrecondition when a live process or another host holds the run: says who, and what to do.
  static Result<OwnerLock> Claim(const std::string& run_dir);
  OwnerLock(OwnerLock&& other) noexcept;
  OwnerLock& operator=(OwnerLock&&) = delete;
  ~OwnerLock();

  /// Writes the epoch into the lock. Aborted when it is another's by now.
  Status SetEpoch(uint64_t epoch);
  const Owner& owner() const { return owner_; }

 private:
  /// Whether the lock at the path still names this owner.
  bool IsOurs() const;

  OwnerLock(std::string path, Owner owner) : path_(std::move(path)), owner_(std::move(owner)) {}
  std::string path_;  // empty when moved from
  Owner owner_;
};

}  // namespace srlm::ledger
