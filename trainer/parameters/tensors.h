// Views of a model's parameters, or of their gradients, as the network computes with them.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <span>

#include "common/model/model_config.h"
#include "common/model/parameters.h"
#include "common/parallel/communicator.h"

namespace srlm::trainer {

/// Where a training rank computes, and with what: weights, gradients and the optimiser's state are float32 everywhere.
struct Place {
  at::Device device = at::kCPU;
  parallel::Memory memory = parallel::Memory::kHost;  // for the communicator
  at::ScalarType numbers = at::kFloat;                // that matrices are multiplied in, on a device
};

/// The values of a flat float32 tensor in the host's memory.
inline std::span<float> SpanOf(const at::Tensor& flat) {
  return {flat.data_ptr<float>(), static_cast<size_t>(flat.numel())};
}

/// Lets `fill` write a flat float32 tensor's values, wherever it is.
void Fill(const at::Tensor& flat, const std::function<void(std::span<float>)>& fill);

/// One decoder block; what the family has not is undefined.
struct BlockTensors {
  at::Tensor input_norm;      // [hidden]
  at::Tensor qkv;             // [query_size + 2 kv_size, hidden]: q, k and v stand next to one another
  at::Tensor qkv_bias;        // [query_size + 2 kv_size]
  at::Tensor q_norm;          // [head_dim]
  at::Tensor k_norm;          // [head_dim]
  at::Tensor o;               // [hidden, query_size]
  at::Tensor attention_norm;  // [hidden]
  at::Tensor middle_norm;     // [hidden]
  at::Tensor gate_up;         // [2 intermediate, hidden]
  at::Tensor down;            // [hidden, intermediate]
  at::Tensor mlp_norm;        // [hidden]
};

/// What is not in a block.
struct RootTensors {
  at::Tensor embedding;   // [vocabulary, hidden]
  at::Tensor final_norm;  // [hidden]
  at::Tensor lm_head;     // [vocabulary, hidden]; the embedding when tied
};

/// Of a block's unit: `unit` [room] is flat, and has the block's parameters from its begin on.
BlockTensors BlockTensorsOf(const model::ModelConfig& config, const model::ParameterTable& table, size_t layer,
                            const at::Tensor& unit);

/// Of the first and the last unit of a table.
RootTensors RootTensorsOf(const model::ModelConfig& config, const model::ParameterTable& table, const at::Tensor& first,
                          const at::Tensor& last);

}  // namespace srlm::trainer
