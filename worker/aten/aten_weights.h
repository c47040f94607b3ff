// A rank's share of a model's weights on a device, as ATen multiplies with them.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/model/shard.h"

namespace srlm::worker {

/// Matrices have the number type of the weights, norms are float32; norms are what a row is multiplied by, whatever the
/// file adds to. What the family has not is undefined.
struct AtenBlock {
  at::Tensor input_norm;      // [hidden]
  at::Tensor qkv;             // [query + 2 kv, hidden]
  at::Tensor qkv_bias;        // [query + 2 kv], float32
  at::Tensor q_norm;          // [head_dim]
  at::Tensor k_norm;          // [head_dim]
  at::Tensor o;               // [hidden, query]
  at::Tensor attention_norm;  // [hidden]
  at::Tensor middle_norm;     // [hidden]
  at::Tensor gate_up;         // [2 intermediate, hidden]
  at::Tensor down;            // [hidden, intermediate]
  at::Tensor mlp_norm;        // [hidden]
};

/// Of one rank: query, kv, intermediate and vocabulary are its share's.
struct AtenWeights {
  at::Tensor embedding;  // [vocabulary, hidden]
  std::vector<AtenBlock> blocks;
  at::Tensor final_norm;  // [hidden]
  at::Tensor lm_head;     // [vocabulary, hidden]; the embedding when tied
};

/// Reads a rank's share of a model folder in pieces of some MiB of host memory. `progress` is called after each tensor.
Result<AtenWeights> LoadAtenWeights(const std::string& folder, const model::ModelConfig& config,
                                    const model::Shard& shard, at::Device device, at::ScalarType type,
                                    const std::function<void()>& progress);

}  // namespace srlm::worker
