#include "coordinator/cli/result_file.h"

#include <gtest/gtest.h>

#include "common/base/file.h"
#include "tests/temporary_folder.h"

namespace srlm::cli {
namespace {

class ResultFileTest : public ::testing::Test {
 protected:
  const TemporaryFolder folder_;
  const std::string path_ = folder_.Path("result.json");
};

TEST_F(ResultFileTest, WhatIsKeptStaysBesideTheFileUntilItIsWhole) {
  folder_.Write("result.json", "of before");
  {
    const auto file = ResultFile::Begin(path_);
    ASSERT_TRUE(file.ok()) << file.status().message();
    EXPECT_EQ(folder_.FileCount(), 1u);
    ASSERT_TRUE((*file)->Keep("a part").ok());
    testing::internal::CaptureStderr();
  }
  EXPECT_NE(testing::internal::GetCapturedStderr().find(path_ + ".partial"), std::string::npos);
  EXPECT_EQ(*ReadFile(path_), "of before");
  EXPECT_EQ(*ReadFile(path_ + ".partial"), "a part");
  {
    const auto file = ResultFile::Begin(path_);
    ASSERT_TRUE((*file)->Keep("a part").ok());
    ASSERT_TRUE((*file)->Finish("the whole").ok());
    testing::internal::CaptureStderr();
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(*ReadFile(path_), "the whole");
  EXPECT_EQ(folder_.FileCount(), 1u);
}

TEST_F(ResultFileTest, APlaceThatCannotBeWrittenIsSaidAtOnce) {
  EXPECT_NE(ResultFile::Begin(folder_.Path("none/r")).status().message().find("none/r"), std::string::npos);
  EXPECT_FALSE(ResultFile::Begin(folder_.path()).ok());
  EXPECT_NE(ResultFile::Begin("/dev/null").status().message().find("no regular file"), std::string::npos);
  EXPECT_EQ(folder_.FileCount(), 0u);
}

}  // namespace
}  // namespace srlm::cli
