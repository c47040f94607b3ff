// One decoder block on a pack by ATen's operations, which keep what autograd needs.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "common/aten/rotation.h"
#include "common/model/model_config.h"
#include "trainer/batches/pack.h"
#include "trainer/parameters/tensors.h"

namespace srlm::trainer {

/// A pack's indices where the device has them.
struct PackOnDevice {
  PackOnDevice(const Pack& pack, at::Device device);
  at::Tensor tokens, positions;           // [tokens]
  at::Tensor target_rows, target_tokens;  // [targets]
};

/// What a block of a layer computes with beside its weights.
struct AtenBlockContext {
  const model::ModelConfig* config = nullptr;
  int64_t window = 0;                         // 0: none
  Rotation rotation;                          // of the tokens
  at::Tensor attention_dropout, mlp_dropout;  // [tokens, hidden]; undefined: nothing is dropped
  at::ScalarType numbers = at::kFloat;        // of products, queries, keys and values
};

/// The block's output for x [tokens, hidden], both float32; norms, rotations and sums are float32.
at::Tensor AtenBlockForward(const AtenBlockContext& context, const Pack& pack, const BlockTensors& weights,
                            const at::Tensor& x);

/// RMSNorm as the family has it, in float32.
at::Tensor AtenNorm(const model::ModelConfig& config, const at::Tensor& x, const at::Tensor& parameter);

}  // namespace srlm::trainer
