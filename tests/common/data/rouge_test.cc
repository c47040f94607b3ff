#include "common/data/rouge.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/base/random.h"

namespace srlm::data {
namespace {

/// The textbook table, as the reference.
int PlainLcs(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  std::vector<std::vector<int>> table(a.size() + 1, std::vector<int>(b.size() + 1));
  for (size_t i = 1; i <= a.size(); ++i)
    for (size_t j = 1; j <= b.size(); ++j)
      table[i][j] = a[i - 1] == b[j - 1] ? table[i - 1][j - 1] + 1 : std::max(table[i - 1][j], table[i][j - 1]);
  return table[a.size()][b.size()];
}

std::vector<uint32_t> RandomTokens(const RandomStream& stream, size_t length, uint32_t kinds) {
  std::vector<uint32_t> tokens(length);
  for (size_t i = 0; i < length; ++i) tokens[i] = static_cast<uint32_t>(stream.Below(i, kinds));
  return tokens;
}

TEST(Rouge, TokensAreLowerCasedRunsOfLettersAndDigits) {
  EXPECT_EQ(RougeTokens("It's 3-fold, caf\xC3\xA9 OK!"),
            (std::vector<std::string>{"it", "s", "3", "fold", "caf", "ok"}));
  EXPECT_TRUE(RougeTokens(" ?! ").empty());
}

TEST(Rouge, BitParallelLcsEqualsTheTable) {
  for (uint64_t i = 0; i < 400; ++i) {
    const RandomStream stream(7, {i});
    const auto a = RandomTokens(stream.Child(1), stream.Below(0, 200), 2 + static_cast<uint32_t>(i % 20));
    const auto b = RandomTokens(stream.Child(2), stream.Below(1, 200), 2 + static_cast<uint32_t>(i % 20));
    ASSERT_EQ(LcsLength(a, b), PlainLcs(a, b)) << "case " << i;
  }
  for (const size_t length : {63u, 64u, 65u, 128u}) {
    const std::vector<uint32_t> same(length, 1);
    EXPECT_EQ(LcsLength(same, same), static_cast<int>(length));
  }
}

TEST(Rouge, FOfKnownPairs) {
  // LCS "police the gunman" of 4 and 4 tokens (Lin 2004, section 3.1).
  EXPECT_NEAR(RougeL("police killed the gunman", "police kill the gunman"), 0.75, 1e-12);
  EXPECT_NEAR(RougeL("police killed the gunman", "the gunman kill police"), 0.5, 1e-12);
  // "the quick brown jumps the" of 9 and 8 tokens.
  EXPECT_NEAR(RougeL("The quick brown fox jumps over the lazy dog", "the quick brown dog jumps on the log."),
              2.0 * 5 / 17, 1e-12);
  EXPECT_EQ(RougeL("", "a"), 0);
  EXPECT_EQ(RougeL("a b", "a b"), 1);
  EXPECT_EQ(RougeL("a b", "c d"), 0);
}

TEST(Rouge, TheIndexFindsWhatComparingWithAllFinds) {
  std::vector<std::string> texts;
  const auto text_of = [](uint64_t i) {
    const RandomStream stream(11, {i});
    std::string text;
    for (uint64_t w = 0; w < 3 + stream.Below(0, 12); ++w) text += "w" + std::to_string(stream.Below(w + 1, 15)) + " ";
    return text;
  };
  RougeIndex index;
  for (uint64_t i = 0; i < 80; ++i) {
    const std::string text = text_of(i);
    double best = 0;
    int best_at = -1;
    for (size_t j = 0; j < texts.size(); ++j) {
      const double f = RougeL(texts[j], text);
      if (f > best) best = f, best_at = static_cast<int>(j);
    }
    const RougeIndex::Nearest nearest = index.FindNearest(text);
    ASSERT_EQ(nearest.f, best);
    ASSERT_EQ(nearest.index, best_at);
    index.Add(text);
    texts.push_back(text);
  }
}

}  // namespace
}  // namespace srlm::data
