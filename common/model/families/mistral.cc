// Mistral: Llama, and in version 0.1 every layer sees a window alone.
#include "common/model/families/families.h"

namespace srlm::model {
namespace {

void Read(ConfigFields& fields, ModelConfig& model) {
  CheckActivation(fields, "hidden_act", "silu");
  ReadRope(fields, model.rope);
  ReadWindow(fields, model, [](ConfigFields&, int64_t) { return true; });
}

}  // namespace

const Family kMistral = {"mistral", Read};

}  // namespace srlm::model
