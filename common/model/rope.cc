#include "common/model/rope.h"

#include <cmath>
#include <numbers>

namespace srlm::model {
namespace {

/// Llama 3.1: wavelengths longer than the original context are divided by the factor, short ones are kept.
float ScaleLlama3(float frequency, const RopeConfig& rope) {
  const double context = static_cast<double>(rope.original_context_tokens);
  const double wavelength = 2 * std::numbers::pi / frequency;
  if (wavelength > context / rope.low_frequency_factor) return static_cast<float>(frequency / rope.factor);
  if (wavelength < context / rope.high_frequency_factor) return frequency;
  const double smooth =
      (context / wavelength - rope.low_frequency_factor) / (rope.high_frequency_factor - rope.low_frequency_factor);
  return static_cast<float>((1 - smooth) * frequency / rope.factor + smooth * frequency);
}

}  // namespace

std::vector<float> RopeFrequencies(const RopeConfig& rope, int64_t head_dim) {
  const int64_t half = head_dim / 2;
  std::vector<float> frequencies(static_cast<size_t>(half));
  for (int64_t i = 0; i < half; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(head_dim);
    float frequency = 1.0f / std::pow(static_cast<float>(rope.theta), exponent);
    if (rope.scaling == RopeScaling::kLinear) frequency /= static_cast<float>(rope.factor);
    if (rope.scaling == RopeScaling::kLlama3) frequency = ScaleLlama3(frequency, rope);
    frequencies[static_cast<size_t>(i)] = frequency;
  }
  return frequencies;
}

RopeTable MakeRopeTable(const RopeConfig& rope, int64_t head_dim, int64_t positions) {
  const std::vector<float> frequencies = RopeFrequencies(rope, head_dim);
  RopeTable table;
  table.positions = positions;
  table.half = head_dim / 2;
  table.cosine.resize(static_cast<size_t>(positions * table.half));
  table.sine.resize(table.cosine.size());
  for (int64_t position = 0; position < positions; ++position) {
    for (int64_t i = 0; i < table.half; ++i) {
      const float angle = static_cast<float>(position) * frequencies[static_cast<size_t>(i)];
      table.cosine[static_cast<size_t>(position * table.half + i)] = std::cos(angle);
      table.sine[static_cast<size_t>(position * table.half + i)] = std::sin(angle);
    }
  }
  return table;
}

RopeTables::RopeTables(const ModelConfig& config, int64_t positions)
    : config_(config), all_(MakeRopeTable(config.rope, config.head_dim, positions)) {
  if (config.own_local_rope) local_ = MakeRopeTable(config.local_rope, config.head_dim, positions);
}

}  // namespace srlm::model
