// Rotary positions by ATen's operations, on any device.
#pragma once

#include <ATen/ATen.h>

#include "common/model/rope.h"

namespace srlm {

/// Cosines and sines [positions, 1, head_dim / 2].
struct Rotation {
  at::Tensor cosine, sine;

  /// Those of the rows' positions.
  Rotation Of(const at::Tensor& positions) const {
    return {cosine.index_select(0, positions), sine.index_select(0, positions)};
  }
};

/// Of positions [0, positions).
inline Rotation MakeRotation(const model::RopeConfig& rope, int64_t head_dim, int64_t positions, at::Device device) {
  model::RopeTable table = model::MakeRopeTable(rope, head_dim, positions);
  const auto tensor = [&](std::vector<float>& values) {
    return at::from_blob(values.data(), {positions, 1, table.half}, at::kFloat).clone().to(device);
  };
  return {tensor(table.cosine), tensor(table.sine)};
}

/// x [rows, heads, head_dim], turned by each row's position.
inline at::Tensor Rotate(const at::Tensor& x, const Rotation& rotation) {
  const int64_t half = x.size(2) / 2;
  const at::Tensor a = x.narrow(2, 0, half), b = x.narrow(2, half, half);
  return at::cat({a * rotation.cosine - b * rotation.sine, b * rotation.cosine + a * rotation.sine}, 2);
}

}  // namespace srlm
