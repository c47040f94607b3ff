// Adapters of a model in PEFT's format: which matrices they change, and their folder.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/base/manifest.h"
#include "common/base/status.h"
#include "common/config/enums.h"
#include "common/model/model_config.h"
#include "common/model/parameters.h"

namespace srlm::model {

struct LoraOptions {
  int64_t rank = 0;  // 0: no adapters, the model itself is trained
  double alpha = 16;
  std::vector<config::LoraTarget> targets;  // in the order of the enumeration

  double scale() const { return alpha / static_cast<double>(rank); }
};

/// The targets of these names, which are known, in the order of the enumeration.
std::vector<config::LoraTarget> LoraTargetsOf(const std::vector<std::string>& names);

/// What is trained: of each block and each target lora_A [rank, inputs] and lora_B [outputs, rank], by PEFT's names, as
/// one unit.
ParameterTable MakeLoraTable(const ModelConfig& config, const LoraOptions& options, int64_t unit_multiple = 1);

/// Writes `folder` as PEFT reads it, with `flat` [table.total_elements] in float32, beside and renamed when whole, with
/// its manifest; an existing folder is refused with AlreadyExists. `base` is the model's folder. Returns the manifest.
Result<Manifest> SaveAdapter(const std::string& folder, const std::string& base, const LoraOptions& options,
                             const ParameterTable& table, std::span<const float> flat);

}  // namespace srlm::model
