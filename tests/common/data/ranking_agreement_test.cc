#include "common/data/ranking_agreement.h"

#include <gtest/gtest.h>

#include <vector>

#include "common/data/statistics.h"

namespace srlm::data {
namespace {

using Values = std::vector<double>;

TEST(RankingAgreement, IsOneForTheSameOrderAndZeroForTheReverse) {
  EXPECT_EQ(RankingAgreement(Values{-3, -1, -2}, Values{-30, -10, -20}), 1);
  EXPECT_EQ(RankingAgreement(Values{1, 2, 3}, Values{3, 2, 1}), 0);
  EXPECT_DOUBLE_EQ(RankingAgreement(Values{1, 2, 3}, Values{2, 1, 3}), 2.0 / 3);
}

TEST(RankingAgreement, IsKendallsTauBroughtBetweenZeroAndOne) {
  const Values a = {0.3, -1.2, 2.5, 0.9, -0.4}, b = {0.1, 0.2, 1.5, -0.7, -0.8};
  EXPECT_DOUBLE_EQ(RankingAgreement(a, b), (KendallTauB(a, b) + 1) / 2);
}

TEST(RankingAgreement, EqualValuesRankByTheirPosition) {
  EXPECT_EQ(RankingAgreement(Values{1, 1}, Values{1, 1}), 1);
  EXPECT_EQ(RankingAgreement(Values{1, 1}, Values{1, 2}), 1);
  EXPECT_EQ(RankingAgreement(Values{1, 1}, Values{2, 1}), 0);
}

}  // namespace
}  // namespace srlm::data
