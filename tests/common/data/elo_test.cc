#include "common/data/elo.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace srlm::data {
namespace {

// The expected scores were found by bisection of each score's derivative in turn, until all stood still.
void ExpectScores(const WinMatrix& wins, const std::vector<double>& expected) {
  const std::vector<double> scores = EloScores(wins);
  ASSERT_EQ(scores.size(), expected.size());
  for (size_t i = 0; i < scores.size(); ++i) EXPECT_NEAR(scores[i], expected[i], 1.1e-6) << i;
}

TEST(Elo, ScoresAreTheMaximumOfThePenalisedLikelihood) {
  ExpectScores({{0, 0.6, 1}, {0.4, 0, 0.6}, {0, 0.4, 0}}, {0.948842, 0, -0.948842});
  ExpectScores({{0, 1.3, 0.7, 2.0}, {0.7, 0, 1.1, 0.4}, {1.3, 0.2, 0, 0.9}, {0.1, 1.6, 0.5, 0}},
               {0.482218, -0.262755, 0.084107, -0.303571});
}

TEST(Elo, WhatAlwaysWinsHasAFiniteScore) {
  ExpectScores({{0, 1}, {0, 0}}, {1.956997, -1.956997});
  ExpectScores({{0, 2, 2}, {0, 0, 2}, {0, 0, 0}}, {3.930039, 0, -3.930039});
}

// Without the penalty two scores differ by the logarithm of the odds; many comparisons leave little of it.
TEST(Elo, TwoScoresDifferByTheLogOfTheOdds) {
  const std::vector<double> scores = EloScores({{0, 3e6}, {1e6, 0}});
  EXPECT_NEAR(scores[0] - scores[1], std::log(3), 1e-5);
}

TEST(Elo, WithoutWinsAllAreEqualAndNothingIsLostOfNothing) {
  EXPECT_EQ(EloScores({{0, 0}, {0, 0}}), (std::vector<double>{0, 0}));
  EXPECT_EQ(EloScores({{0, 1}, {1, 0}}), (std::vector<double>{0, 0}));
  EXPECT_TRUE(EloScores({}).empty());
}

TEST(Elo, ManyScoresOfACircleAreEqual) {
  constexpr size_t kMany = 40;
  WinMatrix wins(kMany, std::vector<double>(kMany));
  for (size_t i = 0; i < kMany; ++i) wins[i][(i + 1) % kMany] = 1;
  for (const double score : EloScores(wins)) EXPECT_EQ(score, 0);
}

TEST(Elo, ThePlaceThatWinsMoreOftenCountsLess) {
  EXPECT_EQ(WeighPlaces(0, 0).first, 0.5);
  EXPECT_EQ(WeighPlaces(0, 0).second, 0.5);
  const PlaceWeights weights = WeighPlaces(30, 10);  // 10/40 and 30/40
  EXPECT_DOUBLE_EQ(weights.first, 0.25);
  EXPECT_DOUBLE_EQ(weights.second, 0.75);
  EXPECT_DOUBLE_EQ(30 * weights.first, 10 * weights.second);  // both places weigh the same in all
  EXPECT_EQ(WeighPlaces(7, 0).first, 0);                      // a judge that only ever says the first says nothing
}

}  // namespace
}  // namespace srlm::data
