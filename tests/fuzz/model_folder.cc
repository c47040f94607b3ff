// Any texts as the JSON files of a model folder: config.json, generation_config.json, the index of the weights,
// tokenizer_config.json and the stored manifest, in this order.
#include <array>

#include "common/base/check.h"
#include "common/base/manifest.h"
#include "common/model/model_config.h"
#include "common/model/parameters.h"
#include "common/text/chat_template.h"
#include "common/text/end_of_turn.h"
#include "common/text/tokenizer.h"
#include "tests/fuzz/harness.h"

namespace srlm {
namespace {

constexpr std::array kFiles = {"config.json", "generation_config.json", "model.safetensors.index.json",
                               "tokenizer_config.json", kManifestFile};

/// A folder with one small weight file for the index to name.
class ModelFolder {
 public:
  ModelFolder() {
    const std::string header = R"({"model.norm.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
    const uint64_t length = header.size();
    folder_.Write("a.safetensors",
                  std::string(reinterpret_cast<const char*>(&length), sizeof length) + header + std::string(8, '\0'));
  }
  /// Writes the parts, or takes the file away where one is empty.
  const std::string& Fill(const std::vector<std::string>& parts) {
    for (size_t i = 0; i < kFiles.size(); ++i) {
      if (parts[i].empty())
        folder_.Remove(kFiles[i]);
      else
        folder_.Write(kFiles[i], parts[i]);
    }
    return folder_.path();
  }

 private:
  fuzz::Folder folder_;
};

void CheckSizes(const model::ModelConfig& config) {
  SRLM_CHECK(config.kv_heads > 0 && config.heads % config.kv_heads == 0, "heads");
  SRLM_CHECK(config.context_tokens > 0 && config.layers > 0 && config.head_dim % 2 == 0, "sizes");
  SRLM_CHECK(config.rope.theta > 0 && config.rope.factor > 0 && config.rms_norm_epsilon > 0, "numbers");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static ModelFolder model_folder;
  static const auto tokenizer = text::Tokenizer::Load(fuzz::ReferenceModel("smollm2"));
  SRLM_CHECK(tokenizer.ok(), tokenizer.status().message());
  const std::string& folder = model_folder.Fill(fuzz::Parts(fuzz::Text(data, size), kFiles.size()));

  if (const auto config = model::ReadModelConfig(folder); config.ok()) {
    CheckSizes(*config);
    const model::ParameterTable table = model::MakeParameterTable(*config);
    SRLM_CHECK(table.total_elements > 0, "an overflow of the number of parameters");
    (void)model::WeightFiles::Open(folder, table).status();
  }
  if (const auto ids = text::ReadEndOfTurnIds(folder, **tokenizer); ids.ok()) {
    SRLM_CHECK(!ids->empty(), "no end of turn");
    for (const int id : *ids) SRLM_CHECK((*tokenizer)->HasId(id), "an id that is no token");
  }
  if (const auto chat_template = text::ChatTemplate::Load(folder, ""); chat_template.ok()) {
    const std::vector<Message> messages = {{"user", "Hello"}};
    (void)(*chat_template)->Render(messages, true).status();
  }
  if (const auto manifest = ReadManifest(folder); manifest.ok()) (void)VerifyManifest(folder, *manifest);
  return 0;
}

}  // namespace srlm
