#include "trainer/parameters/lora.h"

#include <algorithm>
#include <cmath>

#include "common/base/check.h"
#include "common/base/random.h"

namespace srlm::trainer {
namespace {

at::Tensor MatrixOf(const model::Parameter& parameter, const at::Tensor& flat) {
  return flat.narrow(0, parameter.offset, parameter.elements).view({parameter.shape[0], parameter.shape[1]});
}

}  // namespace

std::vector<BlockLora> LoraPairsOf(const model::ModelConfig& config, const model::LoraOptions& options,
                                   const model::ParameterTable& table, const at::Tensor& flat) {
  std::vector<BlockLora> blocks(static_cast<size_t>(config.layers));
  auto parameter = table.parameters.begin();
  for (BlockLora& block : blocks) {
    for (size_t i = 0; i < options.targets.size(); ++i) {
      const model::Parameter& a = *parameter++;
      const model::Parameter& b = *parameter++;
      block.push_back({MatrixOf(a, flat), MatrixOf(b, flat)});
    }
  }
  return blocks;
}

at::Tensor TargetOf(const model::ModelConfig& config, const BlockTensors& block, config::LoraTarget target) {
  const int64_t query = config.query_size(), key = config.kv_size(), inner = config.intermediate_size;
  switch (target) {
    case config::LoraTarget::kQuery: return block.qkv.narrow(0, 0, query);
    case config::LoraTarget::kKey: return block.qkv.narrow(0, query, key);
    case config::LoraTarget::kValue: return block.qkv.narrow(0, query + key, key);
    case config::LoraTarget::kOutput: return block.o;
    case config::LoraTarget::kGate: return block.gate_up.narrow(0, 0, inner);
    case config::LoraTarget::kUp: return block.gate_up.narrow(0, inner, inner);
    case config::LoraTarget::kDown: return block.down;
  }
  SRLM_CHECK(false, "an unknown target");
}

void InitialLora(const model::LoraOptions& options, const model::ParameterTable& table, uint64_t seed,
                 std::span<float> flat) {
  std::ranges::fill(flat, 0.0f);
  for (size_t i = 0; i < table.parameters.size(); i += 2) {  // A, then B
    const model::Parameter& a = table.parameters[i];
    SRLM_CHECK(a.shape[0] == options.rank, a.name);
    const RandomStream random(seed, {StreamId("lora"), StreamId(a.name)});
    const double bound = 1 / std::sqrt(static_cast<double>(a.shape[1]));
    float* values = flat.data() + a.offset;
    for (int64_t k = 0; k < a.elements; ++k) {
      values[k] = static_cast<float>(bound * (2 * random.Uniform(static_cast<uint64_t>(k)) - 1));
    }
  }
}

}  // namespace srlm::trainer
