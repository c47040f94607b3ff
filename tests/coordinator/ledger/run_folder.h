// A run folder for one test.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace srlm::ledger {

class RunFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "srlm_ledger_XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    run_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(run_); }
  std::string run_;
};

}  // namespace srlm::ledger
