// What a run is configured by: RUN/config.yaml, and the contents of the files that it names.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/config/config.h"
#include "coordinator/ledger/ledger.h"
#include "coordinator/rounds/inputs.h"

namespace srlm::rounds {

/// The fields in which `config` differs from that of the run at `run_dir`; none when there is no run yet.
/// FailedPrecondition, a line a key, when going on with `config` would mix results of two methods.
Result<std::vector<config::Difference>> CompareWithRun(const config::RunConfig& config, const std::string& run_dir);

/// Stores the configuration with the run. Fails as CompareWithRun.
Status StoreConfig(const config::RunConfig& config, const std::string& run_dir);

/// Stores the hashes of the inputs with the run, and checks texts that the run has not seen before (CheckInputTexts).
/// FailedPrecondition, a line a key, when the run has others.
Status AcceptInputs(const config::RunConfig& config, Inputs& inputs, ledger::Ledger& ledger);

}  // namespace srlm::rounds
