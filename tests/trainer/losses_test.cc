#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "trainer/losses/preference_loss.h"

namespace srlm::trainer {
namespace {

PreferenceLossOptions Options(std::string_view loss, double beta) {
  PreferenceLossOptions options;
  options.loss = FindLogitLoss(loss);
  options.beta = beta;
  return options;
}

TEST(SigmoidLoss, IsLn2WhenPolicyIsReference) {
  const PreferenceValues values = PreferenceLoss(Options("sigmoid", 0.1), {{-120.5, -80.25}, {-120.5, -80.25}});
  EXPECT_DOUBLE_EQ(values.loss, std::log(2.0));
  EXPECT_EQ(values.margin, 0);
  EXPECT_DOUBLE_EQ(values.gradient_of_chosen, -0.05);
  EXPECT_DOUBLE_EQ(values.gradient_of_rejected, 0.05);
}

TEST(SigmoidLoss, IsMinusLogSigmoidOfTheMarginWithBeta) {
  const PreferenceValues values = PreferenceLoss(Options("sigmoid", 0.3), {{-10, -30}, {-12, -25}});
  EXPECT_NEAR(values.reward_chosen, 0.6, 1e-12);
  EXPECT_NEAR(values.reward_rejected, -1.5, 1e-12);
  EXPECT_NEAR(values.margin, 2.1, 1e-12);
  EXPECT_NEAR(values.loss, -std::log(1 / (1 + std::exp(-2.1))), 1e-12);
}

TEST(SigmoidLoss, StaysFiniteAtAnyMargin) {
  EXPECT_DOUBLE_EQ(SigmoidLoss(-1e6, 0.1).loss, 1e5);
  EXPECT_EQ(SigmoidLoss(1e6, 0.1).loss, 0);
  EXPECT_DOUBLE_EQ(SigmoidLoss(-1e6, 0.1).slope, -0.1);
}

TEST(IpoLoss, PullsTheLogitToItsTarget) {
  EXPECT_DOUBLE_EQ(IpoLoss(5, 0.1).loss, 0);
  EXPECT_DOUBLE_EQ(IpoLoss(5, 0.1).slope, 0);
  EXPECT_DOUBLE_EQ(IpoLoss(2, 0.1).loss, 9);
  EXPECT_DOUBLE_EQ(IpoLoss(2, 0.1).slope, -6);
  EXPECT_DOUBLE_EQ(IpoLoss(8, 0.1).slope, 6);
}

TEST(LogitLoss, IsFoundByItsName) {
  for (const LogitLoss& loss : LogitLosses()) EXPECT_EQ(FindLogitLoss(loss.name), &loss);
  EXPECT_EQ(FindLogitLoss("hinge"), nullptr);
}

// Every loss, with everything that changes it, far to both sides.
TEST(PreferenceLoss, GradientsAreThoseOfFiniteDifferences) {
  for (const LogitLoss& loss : LogitLosses()) {
    for (const double smoothing : {0.0, 0.2}) {
      for (const bool normalised : {false, true}) {
        for (const double probability : {1.0, 0.7, 0.25}) {
          for (const double shift : {-300.0, -20.0, -1.0, 0.0, 1.0, 20.0, 300.0}) {
            PreferenceLossOptions options{&loss, 0.2, smoothing, normalised, 0.5};
            const auto at = [&](double chosen, double rejected) {
              return PreferenceLoss(options, {{chosen, rejected}, {-50, -60}, 20, 35, probability});
            };
            const double step = 1e-4, chosen = -50 + shift, rejected = -60 - shift / 3;
            const PreferenceValues values = at(chosen, rejected);
            const std::string which(loss.name);
            const double by_chosen = (at(chosen + step, rejected).loss - at(chosen - step, rejected).loss) / (2 * step);
            const double by_rejected =
                (at(chosen, rejected + step).loss - at(chosen, rejected - step).loss) / (2 * step);
            EXPECT_NEAR(values.gradient_of_chosen, by_chosen, 1e-6 * (1 + std::abs(by_chosen))) << which << shift;
            EXPECT_NEAR(values.gradient_of_rejected, by_rejected, 1e-6 * (1 + std::abs(by_rejected))) << which << shift;
          }
        }
      }
    }
  }
}

TEST(PreferenceLoss, UncertainLabelsWeighBothDirections) {
  const PairValues pair = {{-10, -30}, {-12, -25}};
  PairValues turned = {{-30, -10}, {-25, -12}};
  const auto plain = Options("sigmoid", 0.3);
  const double right = PreferenceLoss(plain, pair).loss, wrong = PreferenceLoss(plain, turned).loss;
  auto smoothed = plain;
  smoothed.label_smoothing = 0.1;
  EXPECT_NEAR(PreferenceLoss(smoothed, pair).loss, 0.9 * right + 0.1 * wrong, 1e-12);
  PairValues soft = pair;
  soft.chosen_probability = 0.75;
  EXPECT_NEAR(PreferenceLoss(plain, soft).loss, 0.75 * right + 0.25 * wrong, 1e-12);
  EXPECT_NEAR(PreferenceLoss(smoothed, soft).loss, 0.7 * right + 0.3 * wrong, 1e-12);
  soft.chosen_probability = 0.5;  // nothing is known: no direction at margin 0, and back to it from a positive one
  EXPECT_GT(PreferenceLoss(plain, soft).gradient_of_chosen, 0);
  EXPECT_NEAR(PreferenceLoss(plain, {{-1, -1}, {-1, -1}, 1, 1, 0.5}).gradient_of_chosen, 0, 1e-15);
  soft.chosen_probability = 0;
  EXPECT_NEAR(PreferenceLoss(plain, soft).loss, wrong, 1e-12);
}

TEST(PreferenceLoss, LengthsDivideEachAnswersRatio) {
  auto options = Options("sigmoid", 5);
  options.length_normalised = true;
  const PreferenceValues values = PreferenceLoss(options, {{-10, -30}, {-12, -25}, 4, 10});
  EXPECT_NEAR(values.reward_chosen, 5 * 2.0 / 4, 1e-12);
  EXPECT_NEAR(values.reward_rejected, 5 * -5.0 / 10, 1e-12);
  EXPECT_NEAR(values.loss, std::log1p(std::exp(-5.0)), 1e-12);
}

TEST(PreferenceLoss, NllIsThatOfTheChosenAnswerATokenWhateverTheLoss) {
  for (const bool normalised : {false, true}) {
    auto options = Options("ipo", 0.1);
    options.length_normalised = normalised;
    const PairValues pair = {{-10, -30}, {-12, -25}, 4, 10, 0.6};
    const double without = PreferenceLoss(options, pair).loss;
    options.nll_weight = 2;
    EXPECT_NEAR(PreferenceLoss(options, pair).loss, without + 2 * 2.5, 1e-12);
    EXPECT_EQ(PreferenceLoss(options, pair).nll, 2.5);
  }
}

}  // namespace
}  // namespace srlm::trainer
