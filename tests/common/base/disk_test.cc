#include "common/base/disk.h"

#include <gtest/gtest.h>

#include "common/base/file.h"
#include "tests/common/base/temporary_folder.h"

namespace srlm {
namespace {

class DiskTest : public FolderTest {};

TEST_F(DiskTest, APathThatIsNotThereIsOnTheDiskOfItsNearestParent) {
  const auto here = LookAtDisk(folder_), below = LookAtDisk(Path("none/nor/this"));
  ASSERT_TRUE(here.ok()) << here.status().message();
  ASSERT_TRUE(below.ok()) << below.status().message();
  EXPECT_EQ(here->mount, below->mount);
  EXPECT_GT(here->free_bytes, 0u);
  EXPECT_FALSE(here->read_only);
  EXPECT_EQ(std::filesystem::canonical(folder_).string().find(here->mount), 0u) << here->mount;
}

TEST_F(DiskTest, OneDiskIsNotAnother) {
  EXPECT_EQ(LookAtDisk("/proc/self")->mount, "/proc");
  EXPECT_EQ(LookAtDisk("/")->mount, "/");
}

TEST_F(DiskTest, ATestOfAFolderLeavesNothing) {
  const Status tried = TryToWrite(folder_);
  EXPECT_TRUE(tried.ok()) << tried.message();
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  EXPECT_EQ(TryToWrite(Path("none")).code(), Code::kNotFound);
  EXPECT_FALSE(TryToWrite("/proc").ok());
}

}  // namespace
}  // namespace srlm
