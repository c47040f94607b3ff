// Waiting for what a child writes into a test's folder.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>

#include <string>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "tests/temporary_folder.h"

namespace srlm::launcher {

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
