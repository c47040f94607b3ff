// What a run will need, before anything starts: `srlm plan`.
#pragma once

#include <nlohmann/json.hpp>

#include "common/config/config.h"
#include "common/model/model_config.h"
#include "coordinator/plan/lengths.h"
#include "coordinator/plan/machine.h"
#include "coordinator/plan/memory.h"

namespace srlm::plan {

/// The plan of `config` on `machine`: {"model", "lengths", "machine", "layout", "worker", "trainer", "phases", "round",
/// "disk_bytes"}; fields in docs/formats.md.
nlohmann::ordered_json MakePlan(const config::RunConfig& config, const model::ModelConfig& model,
                                const Lengths& lengths, const Machine& machine, const Precision& precision);

}  // namespace srlm::plan
