// Whether the disks of a run have room for what comes next, and what to do when they have not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/config/config.h"

namespace srlm::rounds {

/// Files that can still be made, below which a run waits: more than one launch, job or checkpoint makes.
inline constexpr uint64_t kMinFreeInodes = 64;

/// What is about to be written besides the run's everyday rows and logs.
struct RoomNeed {
  uint64_t bytes = 0;
  std::string what;  // "training dpo-1"
};

class Room {
 public:
  Room(const config::CoordinatorConfig& config, std::string run_dir);

  /// Ok when every disk that the run writes to can be written, has coordinator.min_free_mib besides `need`, and
  /// kMinFreeInodes. Otherwise ResourceExhausted: which disk, what it has, what it needs.
  Status Check(const RoomNeed& need = {}) const;
  /// The same, for a run that waits: it needs somewhat more than to go on, so as not to stop again at once, and what it
  /// writes as a test must stay (quotas).
  Status CheckToGoOn(const RoomNeed& need) const;
  /// What of the run nobody reads again, for people who make room: "; of this run may go: ...". Empty: nothing.
  std::string WhatMayGo() const;

 private:
  Status CheckFolder(const std::string& folder, uint64_t bytes, const RoomNeed& need) const;

  std::string run_dir_;
  uint64_t min_free_bytes_;
  std::vector<std::string> folders_;  // where the run writes; each may be a disk of its own
};

}  // namespace srlm::rounds
