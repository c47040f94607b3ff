// The learning rate of each step.
#pragma once

#include <cstdint>

namespace srlm::trainer {

enum class Schedule { kConstant, kCosine };

/// As Hugging Face's get_{constant,cosine}_schedule_with_warmup, with a floor: over the first ceil(warmup_ratio x
/// steps) steps linear from 0, then constant, or half a cosine from `learning_rate` towards `final_learning_rate`,
/// which the step after the last would have.
struct LearningRateSchedule {
  Schedule shape = Schedule::kCosine;
  double learning_rate = 1e-6;
  double final_learning_rate = 1e-7;
  double warmup_ratio = 0;
  int64_t total_steps = 1;

  double At(int64_t step) const;
};

}  // namespace srlm::trainer
