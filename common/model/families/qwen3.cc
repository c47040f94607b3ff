// Qwen3, dense: Llama with an RMSNorm over each head of queries and keys.
#include "common/model/families/families.h"

namespace srlm::model {
namespace {

void Read(ConfigFields& fields, ModelConfig& model) {
  CheckActivation(fields, "hidden_act", "silu");
  CheckNot(fields, "attention_bias");
  model.head_dim = fields.Size("head_dim", 128);
  model.head_norms = true;
  ReadRope(fields, model.rope);
  ReadLaterWindow(fields, model);
}

}  // namespace

const Family kQwen3 = {"qwen3", Read};

}  // namespace srlm::model
