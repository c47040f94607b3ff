#include "coordinator/plan/known_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace srlm::plan {
namespace {

/// As the models' own config.json have it.
struct Known {
  const char* name;
  const char* family;
  int64_t vocabulary, hidden, intermediate, layers, heads, kv_heads, head_dim;
  bool tied;
};
constexpr std::array<Known, 9> kKnown = {{
    {"gemma-3-270m", "gemma3_text", 262144, 640, 2048, 18, 4, 1, 256, true},
    {"llama-2-7b", "llama", 32000, 4096, 11008, 32, 32, 32, 128, false},
    {"llama-2-70b", "llama", 32000, 8192, 28672, 80, 64, 8, 128, false},
    {"llama-3-8b", "llama", 128256, 4096, 14336, 32, 32, 8, 128, false},
    {"llama-3-70b", "llama", 128256, 8192, 28672, 80, 64, 8, 128, false},
    {"mistral-7b", "mistral", 32768, 4096, 14336, 32, 32, 8, 128, false},
    {"qwen2.5-7b", "qwen2", 152064, 3584, 18944, 28, 28, 4, 128, false},
    {"qwen3-8b", "qwen3", 151936, 4096, 12288, 36, 32, 8, 128, false},
    {"smollm2-135m", "llama", 49152, 576, 1536, 30, 9, 3, 64, true},
}};

}  // namespace

Result<model::ModelConfig> FindKnownModel(std::string_view name) {
  const auto known = std::ranges::find_if(kKnown, [&](const Known& each) { return each.name == name; });
  if (known == kKnown.end()) {
    std::string names;
    for (const Known& each : kKnown) names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
    return InvalidArgument(fmt::format("--model {}: no folder with a config.json, and none of {}", name, names));
  }
  model::ModelConfig model;
  model.model_type = known->family;
  model.vocabulary_size = known->vocabulary;
  model.hidden_size = known->hidden;
  model.intermediate_size = known->intermediate;
  model.layers = known->layers;
  model.heads = known->heads;
  model.kv_heads = known->kv_heads;
  model.head_dim = known->head_dim;
  model.tied_embeddings = known->tied;
  model.qkv_bias = model.model_type == "qwen2";
  model.head_norms = model.model_type == "qwen3" || model.model_type == "gemma3_text";
  model.part_norms = model.model_type == "gemma3_text";
  return model;
}

}  // namespace srlm::plan
