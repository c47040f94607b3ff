// What a model folder's config.json says about the network: decoders of the families in families/.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

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

/// Of the gate in an MLP.
enum class Activation {
  kSilu,
  kGeluTanh,  // gelu_pytorch_tanh: x / (1 + exp(-2 sqrt(2 / pi) (x + 0.044715 x^3)))
};

/// A decoder-only transformer with RMSNorm, rotary positions, grouped-query attention and a gated MLP.
struct ModelConfig {
  std::string model_type;  // the family's, e.g. "llama"
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

  // What families differ in.
  Activation activation = Activation::kSilu;
  bool qkv_bias = false;           // queries, keys and values have biases
  bool head_norms = false;         // an RMSNorm over each head of queries, and of keys, before they are rotated
  bool part_norms = false;         // what attention and MLP give has a norm of its own before it is added
  bool norms_add_one = false;      // norms multiply by 1 + weight
  double embedding_scale = 1;      // of embeddings as input
  double attention_scale = 0;      // of scores; 0: 1 / sqrt(head_dim)
  int64_t window = 0;              // tokens that a local layer sees, with its own
  std::vector<char> local_layers;  // one a layer, 1: it sees the last `window` tokens alone; empty: none does
  bool own_local_rope = false;     // local layers are rotated by `local_rope`
  RopeConfig local_rope;

  bool local(int64_t layer) const { return !local_layers.empty() && local_layers[static_cast<size_t>(layer)] != 0; }
  /// Tokens that a layer sees, with its own; 0: all.
  int64_t window_of(int64_t layer) const { return local(layer) ? window : 0; }
  double score_scale() const;
  int64_t query_size() const { return heads * head_dim; }
  int64_t kv_size() const { return kv_heads * head_dim; }
};

/// Reads and checks `folder`/config.json. Every size is checked for sense before anything is computed from it; a
/// family or an option that this program does not have is refused by name.
Result<ModelConfig> ReadModelConfig(const std::string& folder);

}  // namespace srlm::model
