// RUN/config.yaml: what a run is configured by.
#pragma once

#include <string>

#include "common/base/status.h"
#include "common/config/config.h"

namespace srlm::rounds {

/// Stores the configuration with the run. FailedPrecondition, a line a key, when the run has one that differs so that
/// going on would mix results of two methods.
Status StoreConfig(const config::RunConfig& config, const std::string& run_dir);

}  // namespace srlm::rounds
