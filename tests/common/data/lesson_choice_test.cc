#include "common/data/lesson_choice.h"

#include <gtest/gtest.h>

#include "common/data/seed_split.h"

namespace srlm::data {
namespace {

using Scores = std::vector<std::optional<int>>;

SourcePrompt PromptWith(const std::vector<std::optional<double>>& qualities) {
  SourcePrompt prompt{"p", "Why?", {}};
  for (const auto& quality : qualities)
    prompt.answers.push_back({"r" + std::to_string(prompt.answers.size()), "text", quality});
  return prompt;
}

TEST(CompareOrder, AgreesWhenNoPairIsReversedAndBestIsAboveWorst) {
  const SourcePrompt prompt = PromptWith({0.9, 0.5, 0.1});
  EXPECT_EQ(CompareOrder(prompt, Scores{5, 3, 1}), OrderAgreement::kAgrees);
  EXPECT_EQ(CompareOrder(prompt, Scores{4, 4, 3}), OrderAgreement::kAgrees);
  EXPECT_EQ(CompareOrder(prompt, Scores{3, 4, 1}), OrderAgreement::kDisagrees);
  EXPECT_EQ(CompareOrder(prompt, Scores{4, 4, 4}), OrderAgreement::kTied);
  EXPECT_EQ(CompareOrder(prompt, Scores{4, std::nullopt, 1}), OrderAgreement::kUnparsed);
}

TEST(CompareOrder, AnswersOfOneQualityMayStandAnyhow) {
  EXPECT_EQ(CompareOrder(PromptWith({0.9, 0.9, 0.1}), Scores{4, 5, 3}), OrderAgreement::kAgrees);
  EXPECT_EQ(CompareOrder(PromptWith({0.9, 0.9, 0.1}), Scores{4, 5, 4}), OrderAgreement::kTied);
}

TEST(CompareOrder, UnrankedAnswersAreNotLookedAt) {
  EXPECT_EQ(CompareOrder(PromptWith({0.9, std::nullopt, 0.1}), Scores{4, std::nullopt, 3}), OrderAgreement::kAgrees);
}

TEST(ScoresFromRanks, SpreadFromNoughtToFive) {
  EXPECT_EQ(ScoresFromRanks(PromptWith({0.1, 0.9})), (Scores{0, 5}));
  EXPECT_EQ(ScoresFromRanks(PromptWith({0.9, 0.5, 0.1})), (Scores{5, 3, 0}));
  EXPECT_EQ(ScoresFromRanks(PromptWith({4, 3, 2, 1, 1, std::nullopt})), (Scores{5, 3, 2, 0, 0, std::nullopt}));
  EXPECT_EQ(ScoresFromRanks(PromptWith({1, 2, 3, 4, 5, 6, 7})), (Scores{0, 1, 2, 3, 3, 4, 5}));
}

TEST(BalanceScores, TheMostFrequentScoreIsCutToTheSecond) {
  const std::vector<int> scores = {4, 4, 4, 4, 4, 3, 3, 5};
  const std::vector<std::string> keys = {"a", "b", "c", "d", "e", "f", "g", "h"};
  const auto stays = BalanceScores(scores, keys, 1);
  std::vector<int> left;
  for (size_t i = 0; i < scores.size(); ++i)
    if (stays[i]) left.push_back(scores[i]);
  EXPECT_EQ(CountScores(left), (ScoreHistogram{0, 0, 0, 2, 2, 1}));
  EXPECT_EQ(BalanceScores(scores, keys, 1), stays);
}

TEST(BalanceScores, WhichRowsStayBelongsToSeedAndKeyNotToTheOrder) {
  std::vector<int> scores(20, 4);
  scores.insert(scores.end(), 5, 2);
  std::vector<std::string> keys;
  for (size_t i = 0; i < scores.size(); ++i) keys.push_back(std::to_string(i));
  const auto stays = BalanceScores(scores, keys, 1);
  std::vector<int> reversed_scores(scores.rbegin(), scores.rend());
  std::vector<std::string> reversed_keys(keys.rbegin(), keys.rend());
  const auto reversed = BalanceScores(reversed_scores, reversed_keys, 1);
  EXPECT_EQ(std::vector<bool>(reversed.rbegin(), reversed.rend()), stays);
  EXPECT_NE(BalanceScores(scores, keys, 2), stays);
}

TEST(BalanceScores, EqualCountsAndASingleScoreStay) {
  const std::vector<std::string> keys = {"a", "b", "c", "d"};
  EXPECT_EQ(BalanceScores(std::vector<int>{0, 0, 5, 5}, keys, 1), std::vector<bool>(4, true));
  EXPECT_EQ(BalanceScores(std::vector<int>{4, 4, 4, 4}, keys, 1), std::vector<bool>(4, true));
}

TEST(SeedSplit, FirstByteOfTheHashDecides) {
  // SHA-256("") begins with e3 = 227, SHA-256("abc") with ba = 186.
  EXPECT_FALSE(IsTrainingPrompt(""));
  EXPECT_TRUE(IsTrainingPrompt("abc"));
  int training = 0;
  for (int i = 0; i < 2000; ++i) training += IsTrainingPrompt(std::to_string(i)) ? 1 : 0;
  EXPECT_NEAR(training / 2000.0, 205 / 256.0, 0.03);
}

TEST(SeedSplit, BestAnswerAndWhetherAnyoneRanked) {
  EXPECT_TRUE(IsRanked(PromptWith({0.5, std::nullopt, 0.1})));
  EXPECT_FALSE(IsRanked(PromptWith({0.5, 0.5})));
  EXPECT_FALSE(IsRanked(PromptWith({0.5, std::nullopt})));
  EXPECT_EQ(BestAnswer(PromptWith({std::nullopt, 0.5, 0.9, 0.9})), 2);
  EXPECT_EQ(BestAnswer(PromptWith({std::nullopt})), 0);
  EXPECT_EQ(BestAnswer(PromptWith({std::nullopt, std::nullopt})), -1);
}

TEST(SeedSplit, TheDrawBelongsToSeedAndPrompt) {
  EXPECT_EQ(PromptDraw(1, "a"), PromptDraw(1, "a"));
  EXPECT_NE(PromptDraw(1, "a"), PromptDraw(2, "a"));
  double sum = 0;
  for (int i = 0; i < 1000; ++i) sum += PromptDraw(1, std::to_string(i));
  EXPECT_NEAR(sum / 1000, 0.5, 0.05);
}

}  // namespace
}  // namespace srlm::data
