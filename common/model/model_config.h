// What a model folder's config.json says about the network: the Llama family of decoders.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/status.h"

namespace srlm::model {

enum class RopeScaling {
  kNone,
  kLinear,  // positions divided by `factor`
  kLlama3,  // low frequencies divided by `factor`, high ones kept, smooth between (Llama 3.1)
};

/// Rotary position embedding's parameters, as config.json's rope_theta, rope_scaling or rope_parameters give them.
struct RopeConfig {
  double theta = 10000.0;
  RopeScaling scaling = RopeScaling::kNone;
  double factor = 1.0;
  double low_frequency_factor = 1.0;       // kLlama3
  double high_frequency_factor = 4.0;      // kLlama3
  int64_t original_context_tokens = 8192;  // kLlama3
};

/// Sizes of a decoder-only transformer with RMSNorm, rotary positions, grouped-query attention and SwiGLU.
struct ModelConfig {
  std::string model_type;  // "llama" or "mistral"
  int64_t vocabulary_size = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  int64_t context_tokens = 0;  // max_position_embeddings
  double rms_norm_epsilon = 1e-6;
  bool tied_embeddings = false;  // lm_head is the embedding
  int64_t padding_token = -1;    // pad_token_id: as input it gives its embedding no gradient in transformers; -1: none
  RopeConfig rope;

  int64_t query_size() const { return heads * head_dim; }
  int64_t kv_size() const { return kv_heads * head_dim; }
};

/// Reads and checks `folder`/config.json. Every size is checked for sense before anything is computed from it; a
/// family or an option that this program does not have is refused by name.
Result<ModelConfig> ReadModelConfig(const std::string& folder);

}  // namespace srlm::model
