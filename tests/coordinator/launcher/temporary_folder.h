// A folder for one test, removed at its end, and waiting for what a child writes there.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "common/base/clock.h"
#include "common/base/file.h"

namespace srlm::launcher {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = ::testing::TempDir() + "/srlm-launcher-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The content of `path` as soon as it has `text` in it; what is there after 10 s otherwise.
inline std::string AwaitText(const std::string& path, const std::string& text) {
  const Deadline deadline = Deadline::AfterSeconds(10);
  while (true) {
    const auto content = ReadFile(path);
    if (content.ok() && content->find(text) != std::string::npos) return *content;
    if (deadline.Expired()) return content.ok() ? *content : "";
    sched_yield();
  }
}

}  // namespace srlm::launcher
