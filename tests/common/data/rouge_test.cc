#include "common/data/rouge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

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

/// The nearest by comparing with all.
RougeIndex::Nearest PlainNearest(const std::vector<std::string>& texts, const std::string& text, double above) {
  RougeIndex::Nearest nearest{above, -1};
  std::map<std::string, uint32_t> numbers;
  const auto tokens_of = [&](const std::string& of) {
    std::vector<uint32_t> tokens;
    for (const std::string& word : RougeTokens(of))
      tokens.push_back(numbers.try_emplace(word, static_cast<uint32_t>(numbers.size())).first->second);
    return tokens;
  };
  const auto b = tokens_of(text);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto a = tokens_of(texts[i]);
    const double f = a.size() + b.size() == 0 ? 0 : 2.0 * PlainLcs(a, b) / static_cast<double>(a.size() + b.size());
    if (f > nearest.f) nearest = {f, static_cast<int>(i)};
  }
  return nearest.index < 0 ? RougeIndex::Nearest{} : nearest;
}

class RougeIndexTest : public testing::TestWithParam<double> {};
INSTANTIATE_TEST_SUITE_P(Above, RougeIndexTest, testing::Values(0, 0.2, 0.5, 0.7, 0.9, 1.0));

TEST_P(RougeIndexTest, FindsWhatComparingWithAllFinds) {
  const double above = GetParam();
  // Few words, so that texts repeat them and are near one another; some longer than a machine word has bits; none, too.
  const auto text_of = [](uint64_t i) {
    const RandomStream stream(11, {i});
    std::string text;
    const uint64_t words = i % 7 == 0 ? 60 + stream.Below(0, 12) : stream.Below(0, 12);
    for (uint64_t w = 0; w < words; ++w) text += "w" + std::to_string(stream.Below(w + 1, 3 + i % 20)) + " ";
    return text;
  };
  RougeIndex index;
  std::vector<std::string> texts;
  int found = 0;
  for (uint64_t i = 0; i < 300; ++i) {
    std::string text = text_of(i);
    if (i % 5 == 4) text = texts[i / 2] + "unheard of";  // nearly one that is there
    const RougeIndex::Nearest plain = PlainNearest(texts, text, above);
    const RougeIndex::Nearest nearest = index.FindNearest(text, above);
    ASSERT_EQ(nearest.index, plain.index) << "text " << i << ": " << text;
    ASSERT_EQ(nearest.f, plain.f) << "text " << i << ": " << text;
    found += nearest.index >= 0;
    index.Add(text);
    texts.push_back(text);
  }
  EXPECT_EQ(found == 0, above == 1);
  EXPECT_EQ(index.size(), texts.size());
}

TEST(Rouge, OfEquallyNearTextsTheFirstIsFoundAndTheLimitItselfIsNotAbove) {
  RougeIndex index;
  for (const char* text : {"x y", "a b c d", "a b c d", "a b c e"}) index.Add(text);
  EXPECT_EQ(index.FindNearest("a b c d").index, 1);
  EXPECT_EQ(index.FindNearest("a b c f").index, 1);
  EXPECT_EQ(index.FindNearest("a b c f", 0.75).index, -1);
  EXPECT_EQ(index.FindNearest("a b c f", 0.7499).index, 1);
  EXPECT_EQ(index.FindNearest("a b c d", 1).index, -1);
  EXPECT_EQ(index.FindNearest("", 0).index, -1);
  EXPECT_EQ(RougeIndex().FindNearest("a").index, -1);
}

}  // namespace
}  // namespace srlm::data
