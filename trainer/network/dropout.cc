#include "trainer/network/dropout.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

namespace srlm::trainer {
namespace {

constexpr int64_t kRows = 4;         // rows a task takes at least
constexpr int64_t kValuesADraw = 4;  // 16 bits each
constexpr double kSteps = 65536;     // of the rate

}  // namespace

Dropout::Dropout(const DropoutOptions& options, const Pack& pack)
    : threshold_(static_cast<uint64_t>(std::lround(options.rate * kSteps))) {
  if (!active()) return;
  scale_ = static_cast<float>(1 / (1 - static_cast<double>(threshold_) / kSteps));
  rows_.resize(static_cast<size_t>(pack.size()));
  for (const PackedSample& sample : pack.samples) {
    const RandomStream of_sample = options.stream.Child(sample.sample);
    for (size_t i = sample.segment_begin; i < sample.segment_end; ++i) {
      const AttentionSegment& segment = pack.segments[i];
      const RandomStream of_segment = of_sample.Child(i - sample.segment_begin);
      for (int64_t row = segment.begin; row < segment.begin + segment.count; ++row) {
        rows_[static_cast<size_t>(row)] =
            of_segment.Child(static_cast<uint64_t>(pack.positions[static_cast<size_t>(row)]));
      }
    }
  }
}

void Dropout::Apply(int64_t place, at::Tensor& x) const {
  const int64_t width = x.size(1);
  at::parallel_for(0, x.size(0), kRows, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const RandomStream stream = rows_[static_cast<size_t>(row)].Child(static_cast<uint64_t>(place));
      float* values = x.data_ptr<float>() + row * width;
      for (int64_t first = 0; first < width; first += kValuesADraw) {
        uint64_t bits = stream.Bits(static_cast<uint64_t>(first / kValuesADraw));
        for (int64_t i = first; i < std::min(first + kValuesADraw, width); ++i, bits >>= 16) {
          values[i] = (bits & 0xffff) < threshold_ ? 0.0f : values[i] * scale_;
        }
      }
    }
  });
}

at::Tensor Dropout::Mask(int64_t place, int64_t columns) const {
  at::Tensor mask = at::ones({static_cast<int64_t>(rows_.size()), columns}, at::kFloat);
  Apply(place, mask);
  return mask;
}

}  // namespace srlm::trainer
