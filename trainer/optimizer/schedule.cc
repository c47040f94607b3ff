#include "trainer/optimizer/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace srlm::trainer {

double LearningRateSchedule::At(int64_t step) const {
  const auto warmup = static_cast<int64_t>(std::ceil(warmup_ratio * static_cast<double>(total_steps)));
  if (step < warmup) return learning_rate * static_cast<double>(step) / static_cast<double>(warmup);
  if (shape == Schedule::kConstant) return learning_rate;
  const double progress =
      static_cast<double>(step - warmup) / static_cast<double>(std::max<int64_t>(1, total_steps - warmup));
  const double share = 0.5 * (1 + std::cos(std::numbers::pi * std::min(progress, 1.0)));
  return final_learning_rate + (learning_rate - final_learning_rate) * share;
}

}  // namespace srlm::trainer
