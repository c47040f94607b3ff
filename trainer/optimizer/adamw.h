// AdamW (Loshchilov and Hutter, arXiv 1711.05101) over stretches of flat float32 buffers, as torch.optim.AdamW computes
// it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/model/parameters.h"
#include "trainer/optimizer/owned_stretch.h"

namespace srlm::trainer {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;
};

/// First and second moments of the parameters that a rank updates, and the count of steps.
class AdamW {
 public:
  /// `owned` says which stretches of the table; later calls bring the same ones. Weight decay applies to the table's
  /// parameters that decay (matrices, not norms), as Hugging Face's Trainer does.
  AdamW(const model::ParameterTable& table, std::span<const OwnedStretch> owned, const AdamWOptions& options);

  /// One step in place; gradients are multiplied by `gradient_scale` (clipping) first. One pass over memory.
  void Step(double learning_rate, double gradient_scale, std::span<const OwnedStretch> owned);

  // What a checkpoint keeps.
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }
  /// Of the table's elements [begin, begin + count), which lie in one stretch.
  std::span<float> first_moment(int64_t begin, int64_t count) { return Moment(first_moment_, begin, count); }
  std::span<float> second_moment(int64_t begin, int64_t count) { return Moment(second_moment_, begin, count); }

 private:
  struct Stretch {
    int64_t begin = 0, count = 0;  // in the table
    int64_t place = 0;             // of its moments
  };
  struct Range {
    size_t stretch = 0;
    int64_t begin = 0, end = 0;  // elements of the stretch
    bool decays = true;
  };
  std::span<float> Moment(std::vector<float>& moment, int64_t begin, int64_t count);

  AdamWOptions options_;
  std::vector<Stretch> stretches_;
  std::vector<Range> ranges_;
  std::vector<float> first_moment_;
  std::vector<float> second_moment_;
  int64_t steps_ = 0;
};

/// In float64, the same whatever the number of threads.
double SumOfSquares(std::span<const float> gradients);

/// What gradients are multiplied by so that their norm is at most `max_norm` (0: no limit), as
/// torch.nn.utils.clip_grad_norm_ does.
double ClippingScale(double norm, double max_norm);

}  // namespace srlm::trainer
