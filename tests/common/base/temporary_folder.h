// A folder for one test.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace srlm {

class FolderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "srlm_base_XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  std::string folder_;
};

}  // namespace srlm
