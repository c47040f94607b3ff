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

std::vector<float> RopeFrequencies(const ModelConfig& config) {
  const int64_t half = config.head_dim / 2;
  std::vector<float> frequencies(static_cast<size_t>(half));
  for (int64_t i = 0; i < half; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(config.head_dim);
    float frequency = 1.0f / std::pow(static_cast<float>(config.rope.theta), exponent);
    if (config.rope.scaling == RopeScaling::kLinear) frequency /= static_cast<float>(config.rope.factor);
    if (config.rope.scaling == RopeScaling::kLlama3) frequency = ScaleLlama3(frequency, config.rope);
    frequencies[static_cast<size_t>(i)] = frequency;
  }
  return frequencies;
}

RopeTable MakeRopeTable(const ModelConfig& config, int64_t positions) {
  const std::vector<float> frequencies = RopeFrequencies(config);
  RopeTable table;
  table.positions = positions;
  table.half = config.head_dim / 2;
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

}  // namespace srlm::model
