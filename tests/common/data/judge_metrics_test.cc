#include "common/data/judge_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "common/base/random.h"
#include "common/data/statistics.h"

namespace srlm::data {
namespace {

using List = std::vector<double>;

TEST(Statistics, KnownValues) {
  EXPECT_EQ(AverageRanks(List{3, 1, 3, 2}), (List{3.5, 1, 3.5, 2}));
  EXPECT_NEAR(Spearman(List{1, 2, 3, 4, 5}, List{2, 1, 4, 3, 5}), 0.8, 1e-12);
  EXPECT_NEAR(KendallTauB(List{1, 2, 3, 4, 5}, List{2, 1, 4, 3, 5}), 0.6, 1e-12);
  EXPECT_NEAR(KendallTauB(List{1, 2, 2, 3}, List{1, 3, 2, 2}), 0.4, 1e-12);
  EXPECT_NEAR(Pearson(List{1, 2, 3}, List{3, 2, 1}), -1, 1e-12);
  EXPECT_EQ(Pearson(List{1, 1}, List{1, 2}), 0);
  EXPECT_EQ(KendallTauB(List{1, 1}, List{1, 2}), 0);
}

/// Answers of one prompt with people's order 3 > 2 > 1 > ..., in the order given.
void AddPrompt(std::vector<JudgedAnswer>& answers, const std::string& id, std::vector<std::optional<double>> predicted,
               std::vector<int64_t> characters) {
  for (size_t i = 0; i < predicted.size(); ++i)
    answers.push_back({id, static_cast<double>(predicted.size() - i), predicted[i], characters[i]});
}

TEST(JudgeMetrics, CountedByHandOnTwoPrompts) {
  std::vector<JudgedAnswer> answers;
  AddPrompt(answers, "a", {5, 3, 1}, {130, 100, 300});  // all right; longer wins: 130 > 100, then lost twice
  AddPrompt(answers, "b", {2, 2, 4}, {50, 50, 10});     // a tie, then wrong twice; longer: tie, right, right
  const JudgeMetrics m = ComputeJudgeMetrics(answers, 1, 200);
  EXPECT_EQ(m.prompts, 2);
  EXPECT_EQ(m.answers, 6);
  EXPECT_EQ(m.pairwise_accuracy.n, 6);
  EXPECT_NEAR(m.pairwise_accuracy.value, 3.5 / 6, 1e-12);
  EXPECT_EQ(m.pairwise_accuracy_length_matched.n, 2);  // 130:100 and 50:50
  EXPECT_NEAR(m.pairwise_accuracy_length_matched.value, 1.5 / 2, 1e-12);
  EXPECT_NEAR(m.predicted_ties.value, 1.0 / 6, 1e-12);
  EXPECT_EQ(m.exact_match.n, 2);
  EXPECT_EQ(m.exact_match.value, 0.5);
  EXPECT_NEAR(m.spearman.value, (1 - std::sqrt(3) / 2) / 2, 1e-12);
  EXPECT_NEAR(m.kendall.value, (1 - 2 / std::sqrt(6)) / 2, 1e-12);
  EXPECT_EQ(m.parse_rate.value, 1);
  EXPECT_NEAR(m.longer_wins.value, 3.5 / 6, 1e-12);
  EXPECT_NEAR(m.longer_wins_length_matched.value, 1.5 / 2, 1e-12);
}

TEST(JudgeMetrics, AnswersWithoutAScoreAreInNoPairAndShowInTheParseRate) {
  std::vector<JudgedAnswer> answers;
  AddPrompt(answers, "a", {5, std::nullopt, 1}, {10, 10, 10});
  AddPrompt(answers, "b", {std::nullopt, std::nullopt}, {10, 10});
  const JudgeMetrics m = ComputeJudgeMetrics(answers, 1, 100);
  EXPECT_EQ(m.pairwise_accuracy.n, 1);
  EXPECT_EQ(m.exact_match.n, 0);
  EXPECT_EQ(m.spearman.n, 1);
  EXPECT_EQ(m.parse_rate.n, 5);
  EXPECT_EQ(m.parse_rate.value, 0.4);
  EXPECT_EQ(m.longer_wins.n, 4);
  EXPECT_TRUE(ToJson(m)["exact_match"]["value"].is_null());
}

TEST(JudgeMetrics, EqualQualityIsNoPair) {
  const std::vector<JudgedAnswer> answers = {{"a", 1, 3.0, 5}, {"a", 1, 4.0, 5}};
  const JudgeMetrics m = ComputeJudgeMetrics(answers, 1, 10);
  EXPECT_EQ(m.pairwise_accuracy.n, 0);
  EXPECT_EQ(m.spearman.n, 0);
}

TEST(JudgeMetrics, AnExactMatchIsEveryPairThatPeopleOrderedAndNoTieOfTheJudgeInOne) {
  const auto exact = [](const std::vector<double>& quality, const std::vector<double>& predicted) {
    std::vector<JudgedAnswer> answers;
    for (size_t i = 0; i < quality.size(); ++i) answers.push_back({"a", quality[i], predicted[i], 10});
    const Figure figure = ComputeJudgeMetrics(answers, 1, 10).exact_match;
    EXPECT_EQ(figure.n, 1);
    return figure.value;
  };
  EXPECT_EQ(exact({3, 2, 1}, {5, 4, 1}), 1);
  EXPECT_EQ(exact({3, 2, 1}, {5, 5, 1}), 0);        // the judge ties what people ordered
  EXPECT_EQ(exact({3, 2, 2, 1}, {5, 4, 3, 1}), 1);  // people left these two open: in either order,
  EXPECT_EQ(exact({3, 2, 2, 1}, {5, 3, 4, 1}), 1);
  EXPECT_EQ(exact({3, 2, 2, 1}, {5, 3, 3, 1}), 1);  // or as they did
  EXPECT_EQ(exact({3, 2, 2, 1}, {5, 3, 1, 1}), 0);
}

TEST(JudgeMetrics, FiveBestIsHowOftenAFiveIsWhatPeopleRankedBest) {
  const auto figure = [](const std::vector<JudgedAnswer>& answers) {
    return ComputeJudgeMetrics(answers, 1, 200).five_best;
  };
  // Two fives of one prompt, one of them right; 4.5 rounds to 5, 4.49 does not.
  std::vector<JudgedAnswer> answers = {{"a", 3, 5.0, 9}, {"a", 1, 4.5, 9}, {"a", 0, 4.49, 9}, {"a", 0, 1.0, 9}};
  EXPECT_EQ(figure(answers).n, 2);
  EXPECT_EQ(figure(answers).value, 0.5);
  // One that is best with another, whether that has a score or not.
  answers.insert(answers.end(), {{"b", 2, 4.8, 9}, {"b", 2, std::nullopt, 9}, {"b", 1, 0.0, 9}});
  EXPECT_EQ(figure(answers).n, 3);
  EXPECT_NEAR(figure(answers).value, 2.0 / 3, 1e-12);
  // The best one has no score: a five is wrong all the same.
  answers.insert(answers.end(), {{"c", 2, std::nullopt, 9}, {"c", 1, 5.0, 9}});
  EXPECT_EQ(figure(answers).n, 4);
  EXPECT_EQ(figure(answers).value, 0.5);
  // Where people ranked all equal there is no best.
  answers.insert(answers.end(), {{"d", 1, 5.0, 9}, {"d", 1, 5.0, 9}, {"e", 1, 5.0, 9}});
  EXPECT_EQ(figure(answers).n, 4);
  EXPECT_EQ(figure(answers).low, 0);  // a draw of "c" alone
  EXPECT_EQ(figure(answers).high, 1);
  EXPECT_EQ(figure({{"a", 1, 4.0, 9}, {"a", 2, 3.0, 9}}).n, 0);
  EXPECT_EQ(ToJson(ComputeJudgeMetrics(answers, 1, 10))["five_best"]["n"], 4);
}

TEST(JudgeMetrics, AJudgeThatSaysAlwaysTheSameIsAtOneHalfAndUncorrelated) {
  std::vector<JudgedAnswer> answers;
  for (int i = 0; i < 20; ++i) AddPrompt(answers, std::to_string(i), {4, 4, 4, 4}, {10, 20, 30, 40});
  const JudgeMetrics m = ComputeJudgeMetrics(answers, 1, 100);
  EXPECT_EQ(m.pairwise_accuracy.value, 0.5);
  EXPECT_EQ(m.predicted_ties.value, 1);
  EXPECT_EQ(m.exact_match.value, 0);
  EXPECT_EQ(m.spearman.value, 0);
  EXPECT_EQ(m.spearman.n, 20);
  EXPECT_EQ(m.length_correlation.value, 0);
}

TEST(JudgeMetrics, IntervalsHoldTheValueNarrowWithPromptsAndRepeat) {
  const auto make = [](int prompts) {
    std::vector<JudgedAnswer> answers;
    for (int i = 0; i < prompts; ++i) {
      const RandomStream stream(9, {static_cast<uint64_t>(i)});
      AddPrompt(answers, std::to_string(i), {stream.Uniform(0) + 0.3, stream.Uniform(1)}, {10, 20});
    }
    return answers;
  };
  const Figure few = ComputeJudgeMetrics(make(40), 3, 1000).pairwise_accuracy;
  const Figure many = ComputeJudgeMetrics(make(640), 3, 1000).pairwise_accuracy;
  EXPECT_LT(few.low, few.value);
  EXPECT_GT(few.high, few.value);
  EXPECT_NEAR((few.high - few.low) / (many.high - many.low), 4, 1.2);
  // A binomial share of n prompts: 1.96 standard errors on both sides.
  EXPECT_NEAR(many.high - many.low, 2 * 1.96 * std::sqrt(many.value * (1 - many.value) / 640), 0.01);
  const Figure again = ComputeJudgeMetrics(make(40), 3, 1000).pairwise_accuracy;
  EXPECT_EQ(few.low, again.low);
  EXPECT_EQ(few.high, again.high);
}

TEST(JudgeMetrics, AGainIsDrawnWithBothJudgesOfAPromptTogether) {
  std::vector<JudgedAnswer> before, after;
  for (int i = 0; i < 200; ++i) {
    const RandomStream stream(5, {static_cast<uint64_t>(i)});
    const bool right = stream.Uniform(0) < 0.5, mended = stream.Uniform(1) < 0.2;
    AddPrompt(before, std::to_string(i), {right ? 2 : 0, 1}, {10, 12});
    AddPrompt(after, std::to_string(i), {right || mended ? 2 : 0, 1}, {10, 12});
  }
  const Figure one = ComputeJudgeMetrics(before, 1).pairwise_accuracy;
  const Figure other = ComputeJudgeMetrics(after, 1).pairwise_accuracy;
  const JudgeGain gain = ComputeJudgeGain(before, after, 1);
  EXPECT_NEAR(gain.pairwise_accuracy.value, other.value - one.value, 1e-12);
  EXPECT_EQ(gain.pairwise_accuracy.n, 200);
  EXPECT_EQ(gain.pairwise_accuracy_length_matched.value, gain.pairwise_accuracy.value);
  // Nothing is lost here, and 1 in 10 is won: 1.96 standard errors of a share of 0.1 on both sides, which is less than
  // the interval of either judge.
  EXPECT_GT(gain.pairwise_accuracy.low, 0);
  const double width = 2 * 1.96 * std::sqrt(gain.pairwise_accuracy.value * (1 - gain.pairwise_accuracy.value) / 200);
  EXPECT_NEAR(gain.pairwise_accuracy.high - gain.pairwise_accuracy.low, width, 0.015);
  EXPECT_LT(gain.pairwise_accuracy.high - gain.pairwise_accuracy.low, one.high - one.low);
  // What one of them did not score is no loss of the other.
  after[0].predicted = before[3].predicted = std::nullopt;
  EXPECT_EQ(ComputeJudgeGain(before, after, 1).pairwise_accuracy.n, 198);
  EXPECT_EQ(ComputeJudgeGain({}, {}, 1).pairwise_accuracy.n, 0);
}

TEST(JudgeMetrics, NothingGivesNothing) {
  EXPECT_EQ(ComputeJudgeMetrics({}, 1).pairwise_accuracy.n, 0);
  EXPECT_EQ(CountCharacters("a\xC3\xA9\xF0\x9F\x98\x80"), 3);
}

}  // namespace
}  // namespace srlm::data
