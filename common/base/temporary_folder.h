// A folder of its own that goes with the object.
#pragma once

#include <string>

#include "common/base/status.h"

namespace srlm {

class TemporaryFolder {
 public:
  /// Makes `name`-XXXXXX in TMPDIR, or /tmp. Fails as a folder cannot be made, with its path.
  static Result<TemporaryFolder> Make(const std::string& name);

  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept;
  /// Removes it with all that is in it.
  ~TemporaryFolder();

  const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;  // empty: moved away
};

}  // namespace srlm
