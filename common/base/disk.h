// How much room the disk under a path has.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "common/base/status.h"

namespace srlm {

struct DiskRoom {
  static constexpr uint64_t kNotCounted = std::numeric_limits<uint64_t>::max();

  std::string mount;                   // where its file system is mounted
  uint64_t free_bytes = 0;             // for this user, apart from quotas
  uint64_t free_inodes = kNotCounted;  // files that can still be made; some file systems do not count them
  bool read_only = false;
};

/// Of the file system that holds `path`, or would: of its nearest parent that is there.
Result<DiskRoom> LookAtDisk(const std::string& path);

/// Writes and syncs a small file in `folder` that has no name when this returns: what LookAtDisk cannot see (quotas, a
/// disk that has failed) is seen so. ResourceExhausted when there is no room for it.
Status TryToWrite(const std::string& folder);

}  // namespace srlm
