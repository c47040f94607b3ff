#include "common/model/model_config.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "common/base/json_file.h"
#include "common/model/config_fields.h"
#include "common/model/families/families.h"

namespace srlm::model {
namespace {

using nlohmann::json;

Status CheckSizes(const std::string& path, const ModelConfig& model) {
  const auto fail = [&](std::string_view message) { return InvalidArgument(fmt::format("{}: {}", path, message)); };
  if (model.heads % model.kv_heads != 0) {
    return fail(fmt::format("{} attention heads cannot share {} key-value heads evenly", model.heads, model.kv_heads));
  }
  if (model.layers > 4096 || model.heads > 4096 || model.hidden_size > (1 << 20) ||
      model.intermediate_size > (1 << 22) || model.vocabulary_size > (1 << 24)) {
    return fail("a size is far larger than any model's");
  }
  return OkStatus();
}

Status CheckHeads(const std::string& path, const ModelConfig& model) {
  if (model.head_dim % 2 != 0) return InvalidArgument(fmt::format("{}: head_dim {} is odd", path, model.head_dim));
  if (model.head_dim > 4096) return InvalidArgument(path + ": head_dim is far larger than any model's");
  return OkStatus();
}

}  // namespace

double ModelConfig::score_scale() const {
  return attention_scale > 0 ? attention_scale : 1 / std::sqrt(static_cast<double>(head_dim));
}

Result<ModelConfig> ReadModelConfig(const std::string& folder) {
  const std::string path = folder + "/config.json";
  SRLM_ASSIGN_OR_RETURN(const json config, ReadJsonObject(path));
  ConfigFields fields(config, path);
  ModelConfig model;
  model.vocabulary_size = fields.Size("vocab_size");
  model.hidden_size = fields.Size("hidden_size");
  model.intermediate_size = fields.Size("intermediate_size");
  model.layers = fields.Size("num_hidden_layers");
  model.heads = fields.Size("num_attention_heads");
  SRLM_RETURN_IF_ERROR(fields.status());
  model.kv_heads = fields.Size("num_key_value_heads", model.heads);
  if (!config.contains("head_dim") && model.hidden_size % model.heads != 0) {
    fields.Fail(fmt::format("hidden_size {} is not divisible by {} heads", model.hidden_size, model.heads));
  }
  model.head_dim = fields.Size("head_dim", std::max<int64_t>(1, model.hidden_size / model.heads));
  model.context_tokens = fields.Size("max_position_embeddings", 2048);
  model.rms_norm_epsilon = fields.Number("rms_norm_eps", 1e-6);
  model.tied_embeddings = fields.Flag("tie_word_embeddings", false);
  if (const auto padding = config.find("pad_token_id"); padding != config.end() && padding->is_number_integer()) {
    const auto token = padding->get<int64_t>();
    model.padding_token = token < 0 ? token + model.vocabulary_size : token;  // as torch's padding_idx counts
  }
  SRLM_RETURN_IF_ERROR(fields.status());
  model.model_type = fields.Text("model_type", "");
  const Family* family = FindFamily(model.model_type);
  if (family == nullptr) {
    return InvalidArgument(
        fmt::format("{}: model_type '{}' is not supported ({} are)", path, model.model_type, FamilyNames()));
  }
  SRLM_RETURN_IF_ERROR(CheckSizes(path, model));
  family->read(fields, model);
  SRLM_RETURN_IF_ERROR(fields.status());
  SRLM_RETURN_IF_ERROR(CheckHeads(path, model));
  return model;
}

}  // namespace srlm::model
