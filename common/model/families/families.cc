#include "common/model/families/families.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace srlm::model {
namespace {

constexpr std::array<const Family*, 5> kFamilies = {&kLlama, &kMistral, &kQwen2, &kQwen3, &kGemma3};

}  // namespace

const Family* FindFamily(std::string_view model_type) {
  const auto found =
      std::ranges::find_if(kFamilies, [&](const Family* family) { return family->model_type == model_type; });
  return found == kFamilies.end() ? nullptr : *found;
}

std::string FamilyNames() {
  std::string names;
  for (const Family* family : kFamilies) {
    if (!names.empty()) names += family == kFamilies.back() ? " and " : ", ";
    names += family->model_type;
  }
  return names;
}

void CheckActivation(ConfigFields& fields, const char* key, std::string_view name) {
  if (const std::string act = fields.Text(key, std::string(name)); act != name) {
    fields.Fail(fmt::format("{} '{}' is not supported ({} is)", key, act, name));
  }
}

void CheckNot(ConfigFields& fields, const char* key) {
  if (fields.Flag(key, false)) fields.Fail(fmt::format("'{}': true is not supported", key));
}

void ReadRopeObject(ConfigFields& fields, RopeConfig& rope) {
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
}

void ReadRope(ConfigFields& fields, RopeConfig& rope) {
  rope.theta = fields.Number("rope_theta", rope.theta);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (!fields.Has(key)) continue;
    const nlohmann::json& object = fields.object().at(key);
    if (!object.is_object()) return fields.Fail(fmt::format("'{}' is not an object", key));
    for (const auto& [kind, value] : object.items()) {
      if (value.is_object()) return fields.Fail(fmt::format("'{}' with '{}' is not supported here", key, kind));
    }
    ConfigFields inner(object, fields.path() + ": " + key);
    ReadRopeObject(inner, rope);
    fields.Keep(inner.status());
  }
}

void ReadWindow(ConfigFields& fields, ModelConfig& model, bool (*local)(ConfigFields& fields, int64_t layer)) {
  constexpr int64_t kDefaultWindow = 4096;
  if (fields.object().contains("sliding_window") && !fields.Has("sliding_window")) {
    if (fields.Has("layer_types") && fields.object().at("layer_types").dump().find("sliding") != std::string::npos) {
      fields.Fail("'layer_types' has sliding_attention, and 'sliding_window' is null");
    }
    return;
  }
  model.window = fields.Size("sliding_window", kDefaultWindow);
  model.local_layers.assign(static_cast<size_t>(model.layers), 0);
  if (!fields.Has("layer_types")) {
    for (int64_t layer = 0; layer < model.layers; ++layer) {
      model.local_layers[static_cast<size_t>(layer)] = local(fields, layer) ? 1 : 0;
    }
    return;
  }
  const nlohmann::json& types = fields.object().at("layer_types");
  if (!types.is_array() || static_cast<int64_t>(types.size()) != model.layers) {
    return fields.Fail(fmt::format("'layer_types' is not a list of {} names", model.layers));
  }
  for (size_t layer = 0; layer < types.size(); ++layer) {
    if (types[layer] == "sliding_attention") {
      model.local_layers[layer] = 1;
    } else if (types[layer] != "full_attention") {
      fields.Fail(fmt::format("layer type {} is not supported (full_attention and sliding_attention are)",
                              types[layer].dump().substr(0, 40)));
    }
  }
}

void ReadLaterWindow(ConfigFields& fields, ModelConfig& model) {
  if (!fields.Flag("use_sliding_window", false)) return;
  ReadWindow(fields, model,
             [](ConfigFields& all, int64_t layer) { return layer >= all.Count("max_window_layers", 28); });
}

}  // namespace srlm::model
