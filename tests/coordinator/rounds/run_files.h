// A small run for tests: the tiny model of tests/reference, a few rows of data, a configuration.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/config/config.h"

namespace srlm::rounds {

class RunFilesTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;
  /// One round of 2 given and 3 new prompts with 3 candidates and 2 votes; `more` are `key=value` overrides.
  config::RunConfig Config(const std::vector<std::string>& more = {}) const;
  std::string RunDir(const std::string& name = "run") const { return folder_ + "/" + name; }

  std::string folder_;
};

}  // namespace srlm::rounds
