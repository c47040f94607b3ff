#include "trainer/optimizer/adamw.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/base/check.h"
#include "trainer/kernels/optimizer_kernels.h"

namespace srlm::trainer {
namespace {

constexpr int64_t kPiece = int64_t{1} << 16;  // elements a task takes at once

}  // namespace

AdamW::AdamW(const model::ParameterTable& table, std::span<const OwnedStretch> owned, const AdamWOptions& options)
    : options_(options) {
  int64_t elements = 0;
  for (const OwnedStretch& stretch : owned) {
    const int64_t count = stretch.count();
    for (const model::Parameter& parameter : table.parameters) {
      const int64_t first = std::max(parameter.offset, stretch.begin) - stretch.begin;
      const int64_t end = std::min(parameter.offset + parameter.elements, stretch.begin + count) - stretch.begin;
      for (int64_t begin = first; begin < end; begin += kPiece) {
        ranges_.push_back({stretches_.size(), begin, std::min(begin + kPiece, end), parameter.decays});
      }
    }
    stretches_.push_back({stretch.begin, count, elements});
    elements += count;
  }
  const at::TensorOptions floats =
      owned.empty() ? at::TensorOptions().dtype(at::kFloat) : owned.front().weights.options();
  first_moment_ = at::zeros({elements}, floats);
  second_moment_ = at::zeros({elements}, floats);
  by_aten_ = !first_moment_.is_cpu();
}

at::Tensor AdamW::Moment(const at::Tensor& moment, int64_t begin, int64_t count) const {
  const auto stretch = std::ranges::find_if(
      stretches_, [&](const Stretch& each) { return begin >= each.begin && begin + count <= each.begin + each.count; });
  SRLM_CHECK(stretch != stretches_.end(), "elements that this rank does not own");
  return moment.narrow(0, stretch->place + begin - stretch->begin, count);
}

void AdamW::Step(double learning_rate, double gradient_scale, std::span<const OwnedStretch> owned) {
  SRLM_CHECK(owned.size() == stretches_.size(), "other stretches than before");
  ++steps_;
  if (by_aten_) return StepByAten(learning_rate, gradient_scale, owned);
  StepByKernels(learning_rate, gradient_scale, owned);
}

void AdamW::StepByAten(double learning_rate, double gradient_scale, std::span<const OwnedStretch> owned) {
  const at::NoGradGuard no_grad;
  if (gradient_scale != 1) {
    for (const OwnedStretch& stretch : owned) at::Tensor(stretch.gradients).mul_(gradient_scale);
  }
  const at::Tensor step = at::scalar_tensor(static_cast<double>(steps_), first_moment_.options());
  for (const bool decays : {true, false}) {
    std::vector<at::Tensor> weights, gradients, first, second;
    for (size_t i = 0; i < ranges_.size();) {
      Range range = ranges_[i++];
      while (i < ranges_.size() && ranges_[i].stretch == range.stretch && ranges_[i].begin == range.end &&
             ranges_[i].decays == range.decays) {
        range.end = ranges_[i++].end;
      }
      if (range.decays != decays) continue;
      const OwnedStretch& stretch = owned[range.stretch];
      const int64_t place = stretches_[range.stretch].place + range.begin, count = range.end - range.begin;
      weights.push_back(stretch.weights.narrow(0, range.begin, count));
      gradients.push_back(stretch.gradients.narrow(0, range.begin, count));
      first.push_back(first_moment_.narrow(0, place, count));
      second.push_back(second_moment_.narrow(0, place, count));
    }
    if (weights.empty()) continue;
    const std::vector<at::Tensor> steps(weights.size(), step);
    at::_fused_adamw_(weights, gradients, first, second, /*max_exp_avg_sqs=*/{}, steps, learning_rate, options_.beta1,
                      options_.beta2, decays ? options_.weight_decay : 0.0, options_.epsilon, /*amsgrad=*/false,
                      /*maximize=*/false);
  }
}

void AdamW::StepByKernels(double learning_rate, double gradient_scale, std::span<const OwnedStretch> owned) {
  kernels::AdamWValues values;
  values.gradient_scale = static_cast<float>(gradient_scale);
  values.beta1 = static_cast<float>(options_.beta1);
  values.beta2 = static_cast<float>(options_.beta2);
  values.one_minus_beta1 = static_cast<float>(1 - options_.beta1);
  values.one_minus_beta2 = static_cast<float>(1 - options_.beta2);
  values.epsilon = static_cast<float>(options_.epsilon);
  values.step_size = static_cast<float>(learning_rate / (1 - std::pow(options_.beta1, static_cast<double>(steps_))));
  values.inverse_correction2 =
      static_cast<float>(1 / std::sqrt(1 - std::pow(options_.beta2, static_cast<double>(steps_))));
  const auto decay = static_cast<float>(1 - learning_rate * options_.weight_decay);
  at::parallel_for(0, static_cast<int64_t>(ranges_.size()), 1, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const Range& range = ranges_[static_cast<size_t>(i)];
      const OwnedStretch& stretch = owned[range.stretch];
      const int64_t place = stretches_[range.stretch].place + range.begin;
      kernels::AdamWRange(values, range.decays ? decay : 1.0f, range.end - range.begin,
                          stretch.gradients.data_ptr<float>() + range.begin,
                          stretch.weights.data_ptr<float>() + range.begin, first_moment_.data_ptr<float>() + place,
                          second_moment_.data_ptr<float>() + place);
    }
  });
}

double SumOfSquares(const at::Tensor& gradients) {
  const int64_t count = gradients.numel();
  if (!gradients.is_cpu()) return gradients.square().sum(at::kDouble).item<double>();
  std::vector<double> sums(static_cast<size_t>((count + kPiece - 1) / kPiece));
  at::parallel_for(0, static_cast<int64_t>(sums.size()), 1, [&](int64_t first, int64_t last) {
    for (int64_t piece = first; piece < last; ++piece) {
      const int64_t begin = piece * kPiece;
      sums[static_cast<size_t>(piece)] =
          kernels::SumOfSquares(gradients.data_ptr<float>() + begin, std::min(kPiece, count - begin));
    }
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

double ClippingScale(double norm, double max_norm) {
  if (max_norm <= 0) return 1;
  return std::min(1.0, max_norm / (norm + 1e-6));
}

}  // namespace srlm::trainer
