#include "trainer/optimizer/adamw.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/base/check.h"
#include "trainer/kernels/optimizer_kernels.h"

namespace srlm::trainer {
namespace {

constexpr int64_t kPiece = int64_t{1} << 16;  // elements a task takes at once

}  // namespace

AdamW::AdamW(const model::ParameterTable& table, const AdamWOptions& options)
    : options_(options),
      first_moment_(static_cast<size_t>(table.total_elements), 0.0f),
      second_moment_(static_cast<size_t>(table.total_elements), 0.0f) {
  for (const model::Parameter& parameter : table.parameters) {
    const int64_t end = parameter.offset + parameter.elements;
    for (int64_t begin = parameter.offset; begin < end; begin += kPiece) {
      ranges_.push_back({begin, std::min(begin + kPiece, end), parameter.decays});
    }
  }
}

void AdamW::Step(double learning_rate, double gradient_scale, std::span<const float> gradients,
                 std::span<float> weights) {
  SRLM_CHECK(gradients.size() == first_moment_.size() && weights.size() == first_moment_.size(), "buffers of one size");
  ++steps_;
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
      const auto begin = static_cast<size_t>(range.begin);
      kernels::AdamWRange(values, range.decays ? decay : 1.0f, range.end - range.begin, gradients.data() + begin,
                          weights.data() + begin, first_moment_.data() + begin, second_moment_.data() + begin);
    }
  });
}

double GradientNorm(std::span<const float> gradients) {
  const auto count = static_cast<int64_t>(gradients.size());
  std::vector<double> sums(static_cast<size_t>((count + kPiece - 1) / kPiece));
  at::parallel_for(0, static_cast<int64_t>(sums.size()), 1, [&](int64_t first, int64_t last) {
    for (int64_t piece = first; piece < last; ++piece) {
      const int64_t begin = piece * kPiece;
      sums[static_cast<size_t>(piece)] =
          kernels::SumOfSquares(gradients.data() + begin, std::min(kPiece, count - begin));
    }
  });
  return std::sqrt(std::accumulate(sums.begin(), sums.end(), 0.0));
}

double ClippingScale(double norm, double max_norm) {
  if (max_norm <= 0) return 1;
  return std::min(1.0, max_norm / (norm + 1e-6));
}

}  // namespace srlm::trainer
