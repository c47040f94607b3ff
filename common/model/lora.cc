#include "common/model/lora.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/file.h"
#include "common/model/save.h"

namespace srlm::model {
namespace {

using config::LoraTarget;

/// The parameter of a block that a target is.
int ParameterOf(const BlockParameters& block, LoraTarget target) {
  switch (target) {
    case LoraTarget::kQuery: return block.q;
    case LoraTarget::kKey: return block.k;
    case LoraTarget::kValue: return block.v;
    case LoraTarget::kOutput: return block.o;
    case LoraTarget::kGate: return block.gate;
    case LoraTarget::kUp: return block.up;
    case LoraTarget::kDown: return block.down;
  }
  SRLM_CHECK(false, "an unknown target");
}

Status WriteAdapterConfig(const std::string& folder, const std::string& base, const LoraOptions& options) {
  nlohmann::ordered_json targets = nlohmann::ordered_json::array();
  for (const LoraTarget target : options.targets) targets.push_back(config::NameOf(target));
  const nlohmann::ordered_json config = {
      {"peft_type", "LORA"},      {"task_type", "CAUSAL_LM"},    {"base_model_name_or_path", base},
      {"r", options.rank},        {"lora_alpha", options.alpha}, {"lora_dropout", 0.0},
      {"bias", "none"},           {"fan_in_fan_out", false},     {"inference_mode", true},
      {"target_modules", targets}};
  return WriteFileAtomic(folder + "/adapter_config.json", config.dump(2) + "\n");
}

}  // namespace

std::vector<LoraTarget> LoraTargetsOf(const std::vector<std::string>& names) {
  std::vector<LoraTarget> targets;
  for (const auto& [target, name] : config::NamesOf(LoraTarget{})) {
    if (std::ranges::find(names, name) != names.end()) targets.push_back(target);
  }
  return targets;
}

ParameterTable MakeLoraTable(const ModelConfig& config, const LoraOptions& options, int64_t unit_multiple) {
  const ParameterTable model = MakeParameterTable(config);
  ParameterTable table;
  const auto add = [&](std::string name, std::vector<int64_t> shape) {
    const int64_t elements = shape[0] * shape[1];
    table.parameters.push_back({std::move(name), std::move(shape), table.total_elements, elements, true});
    table.total_elements += elements;
  };
  for (const BlockParameters& block : model.blocks) {
    for (const LoraTarget target : options.targets) {
      const Parameter& matrix = model.at(ParameterOf(block, target));
      const std::string name = "base_model.model." + matrix.name.substr(0, matrix.name.rfind(".weight"));
      add(name + ".lora_A.weight", {options.rank, matrix.shape[1]});
      add(name + ".lora_B.weight", {matrix.shape[0], options.rank});
    }
  }
  const int64_t room = (table.total_elements + unit_multiple - 1) / unit_multiple * unit_multiple;
  table.units = {{0, table.total_elements, room}};
  table.total_elements = room;
  return table;
}

Result<Manifest> SaveAdapter(const std::string& folder, const std::string& base, const LoraOptions& options,
                             const ParameterTable& table, std::span<const float> flat) {
  return SaveFolder(folder, [&](const std::string& beside) -> Status {
    const ParameterValues values = [flat](const Parameter& parameter) -> Result<std::span<const float>> {
      return flat.subspan(static_cast<size_t>(parameter.offset), static_cast<size_t>(parameter.elements));
    };
    SRLM_RETURN_IF_ERROR(WriteSafetensors(beside + "/adapter_model.safetensors", table.parameters, values));
    return WriteAdapterConfig(beside, base, options);
  });
}

}  // namespace srlm::model
