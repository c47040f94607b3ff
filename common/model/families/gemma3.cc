// Gemma 3, text alone: norms after each part too, all of them with 1 + weight; GeGLU; scaled embeddings; an RMSNorm
// over each head of queries and keys; and of six layers five see a window, with a rotation of their own.
#include <cmath>
#include <nlohmann/json.hpp>

#include "common/model/families/families.h"

namespace srlm::model {
namespace {

/// rope_parameters has one object for each kind of layer.
void ReadRopes(ConfigFields& fields, ModelConfig& model) {
  model.rope.theta = fields.Number("rope_theta", 1e6);
  model.local_rope.theta = fields.Number("rope_local_base_freq", 1e4);
  const auto read = [&](const nlohmann::json& object, const char* key, RopeConfig& rope) {
    if (object.is_null()) return;
    if (!object.is_object()) return fields.Fail(std::string("'") + key + "' is not an object");
    ConfigFields inner(object, fields.path() + ": " + key);
    ReadRopeObject(inner, rope);
    fields.Keep(inner.status());
  };
  if (fields.Has("rope_scaling")) read(fields.object().at("rope_scaling"), "rope_scaling", model.rope);
  if (!fields.Has("rope_parameters")) return;
  const nlohmann::json& both = fields.object().at("rope_parameters");
  if (!both.is_object()) return fields.Fail("'rope_parameters' is not an object");
  if (both.contains("rope_type") || both.contains("rope_theta")) {
    return fields.Fail("'rope_parameters' must have one object for full_attention and one for sliding_attention");
  }
  read(both.value("full_attention", nlohmann::json()), "full_attention", model.rope);
  read(both.value("sliding_attention", nlohmann::json()), "sliding_attention", model.local_rope);
}

void Read(ConfigFields& fields, ModelConfig& model) {
  CheckActivation(fields, "hidden_activation", "gelu_pytorch_tanh");
  CheckNot(fields, "attention_bias");
  CheckNot(fields, "use_bidirectional_attention");
  for (const char* cap : {"final_logit_softcapping", "attn_logit_softcapping"}) {
    if (fields.Has(cap)) fields.Fail(std::string("'") + cap + "' is not supported (null is)");
  }
  model.head_dim = fields.Size("head_dim", 256);
  model.tied_embeddings = fields.Flag("tie_word_embeddings", true);
  if (!fields.Has("pad_token_id")) model.padding_token = 0;
  model.activation = Activation::kGeluTanh;
  model.head_norms = true;
  model.part_norms = true;
  model.norms_add_one = true;
  model.embedding_scale = std::sqrt(static_cast<float>(model.hidden_size));
  model.attention_scale = 1 / std::sqrt(fields.Number("query_pre_attn_scalar", 256));
  model.own_local_rope = true;
  ReadRopes(fields, model);
  ReadWindow(fields, model, [](ConfigFields& all, int64_t layer) {
    return (layer + 1) % all.Size("sliding_window_pattern", all.Size("_sliding_window_pattern", 6)) != 0;
  });
}

}  // namespace

const Family kGemma3 = {"gemma3_text", Read};

}  // namespace srlm::model
