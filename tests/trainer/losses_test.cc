#include <gtest/gtest.h>

#include <cmath>

#include "trainer/losses/dpo.h"

namespace srlm::trainer {
namespace {

TEST(DpoLoss, IsLn2WhenPolicyIsReference) {
  const DpoValues values = DpoLoss({-120.5, -80.25}, {-120.5, -80.25}, 0.1);
  EXPECT_DOUBLE_EQ(values.loss, std::log(2.0));
  EXPECT_EQ(values.margin, 0);
  EXPECT_DOUBLE_EQ(values.gradient_of_chosen, -0.05);
}

TEST(DpoLoss, IsMinusLogSigmoidOfTheMarginWithBeta) {
  const DpoValues values = DpoLoss({-10, -30}, {-12, -25}, 0.3);
  EXPECT_NEAR(values.reward_chosen, 0.6, 1e-12);
  EXPECT_NEAR(values.reward_rejected, -1.5, 1e-12);
  EXPECT_NEAR(values.margin, 2.1, 1e-12);
  EXPECT_NEAR(values.loss, -std::log(1 / (1 + std::exp(-2.1))), 1e-12);
}

TEST(DpoLoss, GradientIsThatOfFiniteDifferencesOnBothSides) {
  for (const double shift : {-300.0, -20.0, -1.0, 0.0, 1.0, 20.0, 300.0}) {
    const double step = 1e-4;
    const auto loss = [&](double chosen, double rejected) { return DpoLoss({chosen, rejected}, {-50, -60}, 0.2).loss; };
    const double by_chosen = (loss(-50 + shift + step, -60) - loss(-50 + shift - step, -60)) / (2 * step);
    const double by_rejected = (loss(-50 + shift, -60 + step) - loss(-50 + shift, -60 - step)) / (2 * step);
    const double gradient = DpoLoss({-50 + shift, -60}, {-50, -60}, 0.2).gradient_of_chosen;
    EXPECT_NEAR(gradient, by_chosen, 1e-8) << shift;
    EXPECT_NEAR(-gradient, by_rejected, 1e-8) << shift;
  }
}

TEST(DpoLoss, StaysFiniteAtAnyMargin) {
  EXPECT_DOUBLE_EQ(DpoLoss({-1e6, 0}, {0, 0}, 0.1).loss, 1e5);
  EXPECT_EQ(DpoLoss({1e6, 0}, {0, 0}, 0.1).loss, 0);
  EXPECT_DOUBLE_EQ(DpoLoss({-1e6, 0}, {0, 0}, 0.1).gradient_of_chosen, -0.1);
}

}  // namespace
}  // namespace srlm::trainer
