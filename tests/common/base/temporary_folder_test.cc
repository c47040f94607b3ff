#include "common/base/temporary_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include "tests/common/base/temporary_folder.h"

namespace srlm {
namespace {

class TemporaryFolderTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    setenv("TMPDIR", folder_.c_str(), 1);
  }
  void TearDown() override {
    unsetenv("TMPDIR");
    FolderTest::TearDown();
  }
};

TEST_F(TemporaryFolderTest, GoesWithTheObjectAndWhatIsInIt) {
  std::string path;
  {
    auto folder = TemporaryFolder::Make("srlm-test");
    ASSERT_TRUE(folder.ok()) << folder.status().message();
    path = folder->path();
    EXPECT_EQ(path.find(Path("srlm-test-")), 0u) << path;
    std::ofstream(path + "/file") << "text";
    EXPECT_TRUE(std::filesystem::exists(path + "/file"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(TemporaryFolderTest, MovedItGoesOnce) {
  std::optional<TemporaryFolder> kept;
  {
    auto folder = TemporaryFolder::Make("srlm-test");
    ASSERT_TRUE(folder.ok());
    kept.emplace(std::move(folder.value()));
  }
  const std::string path = kept->path();
  EXPECT_TRUE(std::filesystem::is_directory(path));
  kept.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(TemporaryFolderTest, SaysWhereItCouldNotBeMade) {
  setenv("TMPDIR", Path("none").c_str(), 1);
  const auto folder = TemporaryFolder::Make("srlm-test");
  ASSERT_FALSE(folder.ok());
  EXPECT_NE(folder.status().message().find(Path("none")), std::string::npos) << folder.status().message();
}

}  // namespace
}  // namespace srlm
