// AdamW (Loshchilov and Hutter, arXiv 1711.05101) over stretches of flat float32 tensors, as torch.optim.AdamW computes
// it: by kernels of our own on processors, by ATen's fused ones on a device.
#pragma once

#include <ATen/ATen.h>

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
  /// For tests: on processors too what a device does.
  void set_by_aten(bool by_aten) { by_aten_ = by_aten; }

  /// One step in place; gradients are multiplied by `gradient_scale` (clipping) first, on a device in place.
  void Step(double learning_rate, double gradient_scale, std::span<const OwnedStretch> owned);

  // What a checkpoint keeps.
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }
  /// Of the table's elements [begin, begin + count), which lie in one stretch.
  at::Tensor first_moment(int64_t begin, int64_t count) const { return Moment(first_moment_, begin, count); }
  at::Tensor second_moment(int64_t begin, int64_t count) const { return Moment(second_moment_, begin, count); }

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
  at::Tensor Moment(const at::Tensor& moment, int64_t begin, int64_t count) const;
  void StepByKernels(double learning_rate, double gradient_scale, std::span<const OwnedStretch> owned);
  void StepByAten(double learning_rate, double gradient_scale, std::span<const OwnedStretch> owned);

  AdamWOptions options_;
  std::vector<Stretch> stretches_;
  std::vector<Range> ranges_;
  at::Tensor first_moment_, second_moment_;  // flat
  bool by_aten_ = false;
  int64_t steps_ = 0;
};

/// In float64; on processors the same whatever the number of threads.
double SumOfSquares(const at::Tensor& gradients);

/// What gradients are multiplied by so that their norm is at most `max_norm` (0: no limit), as
/// torch.nn.utils.clip_grad_norm_ does.
double ClippingScale(double norm, double max_norm);

}  // namespace srlm::trainer
