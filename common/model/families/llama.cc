// Llama 1 to 3, and what has its shape: SmolLM2, TinyLlama, Yi.
#include "common/model/families/families.h"

namespace srlm::model {
namespace {

void Read(ConfigFields& fields, ModelConfig& model) {
  CheckActivation(fields, "hidden_act", "silu");
  CheckNot(fields, "attention_bias");
  CheckNot(fields, "mlp_bias");
  ReadRope(fields, model.rope);
}

}  // namespace

const Family kLlama = {"llama", Read};

}  // namespace srlm::model
