// Saving a model that several ranks hold in parts.
#pragma once

#include <functional>

#include "common/base/manifest.h"
#include "common/base/status.h"
#include "common/model/parameters.h"
#include "common/model/save.h"
#include "common/parallel/communicator.h"
#include "trainer/parameters/parameters.h"

namespace srlm::trainer {

/// Writes a model of this table with these values.
using ModelWriter = std::function<Result<Manifest>(const model::ParameterTable&, const model::ParameterValues&)>;

/// All ranks: rank 0 runs `write` while they give it what it has not. Between two units it is busy alone. The manifest
/// is rank 0's; the others' is empty.
Result<Manifest> SaveTogether(Parameters& parameters, parallel::Communicator& communicator, const ModelWriter& write);

}  // namespace srlm::trainer
