// Sizes of well-known models, to plan for one whose folder is not here.
#pragma once

#include <string>
#include <string_view>

#include "common/base/status.h"
#include "common/model/model_config.h"

namespace srlm::plan {

/// By a name such as llama-3-8b. InvalidArgument with the names that there are.
Result<model::ModelConfig> FindKnownModel(std::string_view name);

}  // namespace srlm::plan
