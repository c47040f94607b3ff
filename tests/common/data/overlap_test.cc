#include "common/data/overlap.h"

#include <gtest/gtest.h>

namespace srlm::data {
namespace {

TEST(Overlap, SameWordsWhateverSeparatesThem) {
  OverlapIndex index;
  index.Add("Name the capital of France!", "ift.jsonl: row 1");
  const auto found = index.Find("  name THE capital\nof 'France'");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->origin, "ift.jsonl: row 1");
  EXPECT_TRUE(found->same);
  EXPECT_FALSE(index.Find("Name the capital of Spain!"));
  EXPECT_FALSE(index.Find("capital of France"));
  EXPECT_FALSE(index.Find("..."));
}

TEST(Overlap, ALongRunOfWordsIsEnough) {
  OverlapIndex index;
  index.Add("one two three four five six seven eight nine ten eleven twelve thirteen", "a");
  const auto found = index.Find("zero one two three four five six seven eight nine ten eleven twelve thirteen more");
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->same);
  EXPECT_FALSE(index.Find("one two three four five six seven eight nine ten eleven twelve fourteen"));
}

TEST(Overlap, WordsOutsideAsciiAreKept) {
  OverlapIndex index;
  index.Add("日本の首都は?", "a");
  EXPECT_TRUE(index.Find("日本の首都は"));
  EXPECT_TRUE(index.Find("「日本の首都は」？"));
  EXPECT_TRUE(index.Find("日本 の首都は"));
  EXPECT_FALSE(index.Find("中国の首都は?"));
  EXPECT_EQ(PlainWords("Où est-il?"), (std::vector<std::string>{"où", "est", "il"}));
  EXPECT_EQ(PlainWords("“Qui”… – non\u00a0!"), (std::vector<std::string>{"qui", "non"}));
  EXPECT_EQ(PlainWords("東京、大阪。"), (std::vector<std::string>{"東京", "大阪"}));
}

}  // namespace
}  // namespace srlm::data
