#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "common/base/random.h"
#include "trainer/kernels/simd.h"
#include "trainer/optimizer/adamw.h"
#include "trainer/optimizer/schedule.h"
#include "trainer/parameters/tensors.h"

namespace srlm::trainer {
namespace {

TEST(Schedule, WarmsUpLinearlyThenFollowsTheCosineToItsEnd) {
  const LearningRateSchedule schedule = {Schedule::kCosine, 1e-3, 1e-4, 0.2, 10};
  EXPECT_DOUBLE_EQ(schedule.At(0), 0);
  EXPECT_DOUBLE_EQ(schedule.At(1), 5e-4);
  EXPECT_DOUBLE_EQ(schedule.At(2), 1e-3);
  EXPECT_DOUBLE_EQ(schedule.At(6), 1e-4 + 9e-4 * 0.5);
  EXPECT_DOUBLE_EQ(schedule.At(9), 1e-4 + 9e-4 * 0.5 * (1 + std::cos(std::numbers::pi * 7 / 8)));
  EXPECT_DOUBLE_EQ(schedule.At(10), 1e-4);
}

TEST(Schedule, WithoutWarmupBeginsAtTheHighestRate) {
  EXPECT_DOUBLE_EQ((LearningRateSchedule{Schedule::kCosine, 2e-5, 2e-6, 0, 5}).At(0), 2e-5);
  EXPECT_DOUBLE_EQ((LearningRateSchedule{Schedule::kConstant, 2e-5, 2e-6, 0, 5}).At(4), 2e-5);
}

model::ParameterTable SmallTable() {
  model::ParameterTable table;
  table.parameters = {{"matrix", {300, 301}, 0, 90300, true}, {"norm", {77}, 90300, 77, false}};
  table.total_elements = 90377;
  return table;
}

/// By the kernels, or by what a device does.
void CheckAdamW(bool by_aten) {
  const AdamWOptions options = {.beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-8, .weight_decay = 0.1};
  const model::ParameterTable table = SmallTable();
  const auto count = static_cast<size_t>(table.total_elements);
  const at::Tensor flat = at::zeros({2, table.total_elements}, at::kFloat);
  const std::span<float> weights = SpanOf(flat[0]), gradients = SpanOf(flat[1]);
  // In two stretches, as a rank that owns parts has them; the first ends within the matrix.
  const std::vector<OwnedStretch> owned = {{0, flat[0].narrow(0, 0, 50000), flat[1].narrow(0, 0, 50000)},
                                           {50000, flat[0].narrow(0, 50000, 40377), flat[1].narrow(0, 50000, 40377)}};
  AdamW optimizer(table, owned, options);
  optimizer.set_by_aten(by_aten);
  std::vector<double> expected(count), first(count, 0), second(count, 0);
  for (size_t i = 0; i < count; ++i)
    expected[i] = weights[i] = static_cast<float>(RandomStream(1, {}).Uniform(i) - 0.5);
  const double scale = 0.25;
  for (int step = 1; step <= 5; ++step) {
    const double rate = 1e-2 / step;
    for (size_t i = 0; i < count; ++i) {
      gradients[i] = static_cast<float>(RandomStream(2, {static_cast<uint64_t>(step)}).Uniform(i) - 0.5);
      const double gradient = scale * gradients[i];
      first[i] = options.beta1 * first[i] + (1 - options.beta1) * gradient;
      second[i] = options.beta2 * second[i] + (1 - options.beta2) * gradient * gradient;
      if (i < 90300) expected[i] *= 1 - rate * options.weight_decay;
      expected[i] -= rate / (1 - std::pow(options.beta1, step)) * first[i] /
                     (std::sqrt(second[i] / (1 - std::pow(options.beta2, step))) + options.epsilon);
    }
    optimizer.Step(rate, scale, owned);
  }
  for (size_t i = 0; i < count; ++i) ASSERT_NEAR(weights[i], expected[i], 2e-6) << i;
  EXPECT_EQ(optimizer.steps(), 5);
  EXPECT_NEAR(optimizer.first_moment(90000, 2)[1].item<float>(), first[90001], 1e-6);
  EXPECT_NEAR(optimizer.second_moment(17, 1)[0].item<float>(), second[17], 1e-6);
}

TEST(AdamW, StepsAsTheFormulaDoesWithDecayOnMatricesOnly) { CheckAdamW(false); }
TEST(AdamW, StepsAlikeOnADevice) { CheckAdamW(true); }

TEST(Gradients, AreSquaredAndClippedAsTorchDoes) {
  const at::Tensor gradients = at::full({200000}, 0.5f);
  gradients[3] = -300.0f;
  const double norm = std::sqrt(199999 * 0.25 + 90000.0);
  EXPECT_NEAR(std::sqrt(SumOfSquares(gradients)), norm, 1e-9 * norm);
  EXPECT_EQ(ClippingScale(0.5, 1), 1);
  EXPECT_DOUBLE_EQ(ClippingScale(4, 1), 1 / (4 + 1e-6));
  EXPECT_EQ(ClippingScale(1e9, 0), 1);
}

TEST(FastExp, IsWithinAFewUnitsInTheLastPlace) {
  double worst = 0;
  for (double x = -87; x < 88; x += 0.0137) {
    const auto argument = static_cast<float>(x);
    const double exact = std::exp(static_cast<double>(argument));
    worst = std::max(worst, std::abs(kernels::FastExp(argument) - exact) / exact);
  }
  EXPECT_LT(worst, 3e-7);
  EXPECT_EQ(kernels::FastExp(0), 1);
  EXPECT_LT(kernels::FastExp(-1e30f), 1e-37f);
  EXPECT_TRUE(std::isfinite(kernels::FastExp(1e30f)));
}

}  // namespace
}  // namespace srlm::trainer
