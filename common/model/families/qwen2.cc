// Qwen2 and Qwen2.5: Llama with biases on queries, keys and values.
#include "common/model/families/families.h"

namespace srlm::model {
namespace {

void Read(ConfigFields& fields, ModelConfig& model) {
  CheckActivation(fields, "hidden_act", "silu");
  model.qkv_bias = true;
  ReadRope(fields, model.rope);
  ReadLaterWindow(fields, model);
}

}  // namespace

const Family kQwen2 = {"qwen2", Read};

}  // namespace srlm::model
