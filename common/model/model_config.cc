#include "common/model/model_config.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/base/json_file.h"

namespace srlm::model {
namespace {

using nlohmann::json;

/// Reads fields of one JSON object; the first failure is kept and the rest read as defaults.
class Fields {
 public:
  Fields(const json& object, std::string path) : object_(object), path_(std::move(path)) {}

  int64_t Size(const char* key, int64_t fallback = 0) {
    constexpr int64_t kLargest = int64_t{1} << 32;
    const auto found = object_.find(key);
    if (found == object_.end() || found->is_null()) {
      if (fallback == 0) Fail(fmt::format("'{}' is missing", key));
      return fallback;
    }
    if (!found->is_number_integer() || found->get<int64_t>() < 1 || found->get<int64_t>() > kLargest) {
      Fail(fmt::format("'{}' is {}, a positive integer is wanted", key, found->dump().substr(0, 40)));
      return 1;
    }
    return found->get<int64_t>();
  }

  double Number(const char* key, double fallback) {
    const auto found = object_.find(key);
    if (found == object_.end() || found->is_null()) return fallback;
    if (!found->is_number() || !(found->get<double>() > 0)) {
      Fail(fmt::format("'{}' is {}, a positive number is wanted", key, found->dump().substr(0, 40)));
      return fallback;
    }
    return found->get<double>();
  }

  bool Flag(const char* key, bool fallback) {
    const auto found = object_.find(key);
    if (found == object_.end() || found->is_null()) return fallback;
    if (!found->is_boolean()) {
      Fail(fmt::format("'{}' is {}, true or false is wanted", key, found->dump().substr(0, 40)));
      return fallback;
    }
    return found->get<bool>();
  }

  std::string Text(const char* key, const std::string& fallback) {
    const auto found = object_.find(key);
    if (found == object_.end() || !found->is_string()) return fallback;
    return found->get<std::string>();
  }

  void Fail(const std::string& message) {
    if (status_.ok()) status_ = InvalidArgument(path_ + ": " + message);
  }
  const Status& status() const { return status_; }

 private:
  const json& object_;
  std::string path_;
  Status status_;
};

/// Transformers 5 writes rope_parameters; older files have rope_theta and rope_scaling.
Status ReadRope(const json& config, const std::string& path, RopeConfig& rope) {
  Fields top(config, path);
  rope.theta = top.Number("rope_theta", rope.theta);
  SRLM_RETURN_IF_ERROR(top.status());
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const auto found = config.find(key);
    if (found == config.end() || found->is_null()) continue;
    if (!found->is_object()) return InvalidArgument(fmt::format("{}: '{}' is not an object", path, key));
    Fields fields(*found, path + ": " + key);
    rope.theta = fields.Number("rope_theta", rope.theta);
    const std::string type = fields.Text("rope_type", fields.Text("type", "default"));
    if (type == "default") {
      rope.scaling = RopeScaling::kNone;
    } else if (type == "linear") {
      rope.scaling = RopeScaling::kLinear;
      rope.factor = fields.Number("factor", 1.0);
    } else if (type == "llama3") {
      rope.scaling = RopeScaling::kLlama3;
      rope.factor = fields.Number("factor", 8.0);
      rope.low_frequency_factor = fields.Number("low_freq_factor", 1.0);
      rope.high_frequency_factor = fields.Number("high_freq_factor", 4.0);
      rope.original_context_tokens = fields.Size("original_max_position_embeddings", 8192);
      if (rope.high_frequency_factor <= rope.low_frequency_factor) {
        fields.Fail("high_freq_factor must be larger than low_freq_factor");
      }
    } else {
      fields.Fail(fmt::format("rope type '{}' is not supported (default, linear, llama3 are)", type));
    }
    SRLM_RETURN_IF_ERROR(fields.status());
  }
  return OkStatus();
}

Status CheckFamily(const json& config, const std::string& path, ModelConfig& model) {
  Fields fields(config, path);
  model.model_type = fields.Text("model_type", "");
  if (model.model_type != "llama" && model.model_type != "mistral") {
    fields.Fail(fmt::format("model_type '{}' is not supported (llama and mistral are)", model.model_type));
  }
  if (const std::string act = fields.Text("hidden_act", "silu"); act != "silu") {
    fields.Fail(fmt::format("hidden_act '{}' is not supported (silu is)", act));
  }
  for (const char* bias : {"attention_bias", "mlp_bias"}) {
    if (fields.Flag(bias, false)) fields.Fail(fmt::format("'{}': true is not supported", bias));
  }
  const auto window = config.find("sliding_window");
  if (window != config.end() && window->is_number_integer() && window->get<int64_t>() < model.context_tokens) {
    fields.Fail(
        fmt::format("a sliding_window of {} tokens is not supported; set max_position_embeddings to at most "
                    "that, or sliding_window to null",
                    window->get<int64_t>()));
  }
  return fields.status();
}

Status CheckSizes(const std::string& path, const ModelConfig& model) {
  const auto fail = [&](std::string_view message) { return InvalidArgument(fmt::format("{}: {}", path, message)); };
  if (model.heads % model.kv_heads != 0) {
    return fail(fmt::format("{} attention heads cannot share {} key-value heads evenly", model.heads, model.kv_heads));
  }
  if (model.head_dim % 2 != 0) return fail(fmt::format("head_dim {} is odd", model.head_dim));
  if (model.layers > 4096 || model.heads > 4096 || model.head_dim > 4096 || model.hidden_size > (1 << 20) ||
      model.intermediate_size > (1 << 22) || model.vocabulary_size > (1 << 24)) {
    return fail("a size is far larger than any model of this family");
  }
  return OkStatus();
}

}  // namespace

Result<ModelConfig> ReadModelConfig(const std::string& folder) {
  const std::string path = folder + "/config.json";
  SRLM_ASSIGN_OR_RETURN(const json config, ReadJsonObject(path));
  Fields fields(config, path);
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
  SRLM_RETURN_IF_ERROR(CheckFamily(config, path, model));
  SRLM_RETURN_IF_ERROR(CheckSizes(path, model));
  SRLM_RETURN_IF_ERROR(ReadRope(config, path, model.rope));
  return model;
}

}  // namespace srlm::model
