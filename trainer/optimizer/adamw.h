// AdamW (Loshchilov and Hutter, arXiv 1711.05101) over flat float32 buffers, as torch.optim.AdamW computes it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/model/parameters.h"

namespace srlm::trainer {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;
};

/// First and second moments of every parameter, and the count of steps.
class AdamW {
 public:
  /// Weight decay applies to the table's parameters that decay (matrices, not norms), as Hugging Face's Trainer does.
  AdamW(const model::ParameterTable& table, const AdamWOptions& options);

  /// One step in place: `weights` and `gradients` have the table's total_elements; gradients are multiplied by
  /// `gradient_scale` (clipping) first. One pass over memory.
  void Step(double learning_rate, double gradient_scale, std::span<const float> gradients, std::span<float> weights);

  // What a checkpoint keeps.
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }
  std::span<float> first_moment() { return first_moment_; }
  std::span<float> second_moment() { return second_moment_; }

 private:
  struct Range {
    int64_t begin = 0, end = 0;  // elements
    bool decays = true;
  };
  AdamWOptions options_;
  std::vector<Range> ranges_;
  std::vector<float> first_moment_;
  std::vector<float> second_moment_;
  int64_t steps_ = 0;
};

/// Square root of the sum of squares, in float64, the same whatever the number of threads.
double GradientNorm(std::span<const float> gradients);

/// What gradients are multiplied by so that their norm is at most `max_norm` (0: no limit), as
/// torch.nn.utils.clip_grad_norm_ does.
double ClippingScale(double norm, double max_norm);

}  // namespace srlm::trainer
