// A run's folder of the test's own.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

namespace srlm::rpc {

class RunFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    run_ = testing::TempDir() + "srlm_rpc_XXXXXX";
    ASSERT_NE(mkdtemp(run_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(run_); }

  static mode_t Mode(const std::string& path) {
    struct stat info{};
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }
  std::string run_;
};

}  // namespace srlm::rpc
