#include "coordinator/launcher/log_tail.h"

#include "tests/coordinator/launcher/await_text.h"

namespace srlm::launcher {
namespace {

TEST(LastLines, GivesTheEndWithoutEmptyLines) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/0.log";
  ASSERT_TRUE(WriteFileAtomic(path, "one\n\ntwo\n   \nthree").ok());
  EXPECT_EQ(LastLines(path, 2), (std::vector<std::string>{"two", "three"}));
  EXPECT_EQ(LastLines(path, 9).size(), 3U);
  EXPECT_TRUE(LastLines(folder.path() + "/none", 2).empty());
}

TEST(LastLines, ReadsTheEndOfALongFileOnly) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/0.log";
  std::string content;
  for (int i = 0; i < 100000; ++i) content += "line " + std::to_string(i) + "\n";
  ASSERT_TRUE(WriteFileAtomic(path, content).ok());
  const auto lines = LastLines(path, 1000000);
  EXPECT_EQ(lines.back(), "line 99999");
  EXPECT_EQ(lines.front().substr(0, 5), "line ");
  EXPECT_LT(lines.size(), 10000U);
}

TEST(TailOfFolder, NamesEachFile) {
  const TemporaryFolder folder;
  ASSERT_TRUE(WriteFileAtomic(folder.path() + "/1.log", "b\n").ok());
  ASSERT_TRUE(WriteFileAtomic(folder.path() + "/0.log", "a\n").ok());
  ASSERT_TRUE(WriteFileAtomic(folder.path() + "/empty.log", "").ok());
  EXPECT_EQ(TailOfFolder(folder.path(), 3),
            (std::vector<std::string>{folder.path() + "/0.log:", "  a", folder.path() + "/1.log:", "  b"}));
}

}  // namespace
}  // namespace srlm::launcher
