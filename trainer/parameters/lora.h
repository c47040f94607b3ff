// Low-rank adaptation (LoRA, arXiv 2106.09685): what is trained is a small change of some matrices,
// W + alpha / rank * B A, and the model itself stays as it is.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/model/lora.h"
#include "common/model/model_config.h"
#include "common/model/parameters.h"
#include "trainer/parameters/tensors.h"

namespace srlm::trainer {

/// One adapted matrix of a block, as views of flat buffers.
struct LoraPair {
  at::Tensor a;  // [rank, inputs]
  at::Tensor b;  // [outputs, rank]
};

/// The adapters of one block, by LoraOptions::targets.
using BlockLora = std::vector<LoraPair>;

/// Of a flat buffer of model::MakeLoraTable: adapters, or their gradients.
std::vector<BlockLora> LoraPairsOf(const model::ModelConfig& config, const model::LoraOptions& options,
                                   const model::ParameterTable& table, const at::Tensor& flat);

/// The matrix of a block that a target is, or its gradient: rows of it where it stands beside others.
at::Tensor TargetOf(const model::ModelConfig& config, const BlockTensors& block, config::LoraTarget target);

/// A as PEFT begins with it, uniform within 1 / sqrt(inputs) of 0, from counted random numbers; B is 0.
void InitialLora(const model::LoraOptions& options, const model::ParameterTable& table, uint64_t seed,
                 std::span<float> flat);

}  // namespace srlm::trainer
