#include "common/data/expected_score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace srlm::data {
namespace {

TEST(ExpectedScore, IsTheMeanOverTheDigitsWhateverElseIsPossible) {
  // The digits hold a tenth of the probability: 0.04 for "1" and 0.06 for "4".
  const double none = -std::numeric_limits<double>::infinity();
  const ExpectedScore expected = ScoreFromLogprobs(std::vector{none, std::log(0.04), none, none, std::log(0.06), none});
  EXPECT_DOUBLE_EQ(expected.score, 0.4 * 1 + 0.6 * 4);
  EXPECT_DOUBLE_EQ(expected.probabilities[1], 0.4);
  EXPECT_DOUBLE_EQ(expected.probabilities[0], 0);
}

TEST(ExpectedScore, VerySmallProbabilitiesAreNoZeros) {
  const ExpectedScore expected = ScoreFromLogprobs(std::vector{-5000.0, -5000.0, -5000.0, -5000.0, -5000.0, -5000.0});
  EXPECT_DOUBLE_EQ(expected.score, 2.5);
}

TEST(ExpectedScore, ThereIsADigitForEachScore) {
  EXPECT_EQ(ScoreDigits(), (std::vector<std::string>{"0", "1", "2", "3", "4", "5"}));
}

}  // namespace
}  // namespace srlm::data
