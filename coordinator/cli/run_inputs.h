// What `srlm run` needs before it starts anything: a configuration that is right, files that can be read.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/config/config.h"
#include "coordinator/cli/commands.h"

namespace srlm::cli {

/// Reads the configuration and checks every file that it names, row by row, and that the programs lie beside srlm
/// when they are to be started. Messages carry file:line or the key.
Result<config::RunConfig> LoadRunConfig(const RunOptions& options);

/// When a run at `run_dir` exists: one line for each field that differs from the stored configuration.
/// FailedPrecondition lists those with which the run would hold results of two methods.
Result<std::vector<std::string>> CompareWithRun(const config::RunConfig& config, const std::string& run_dir);

/// The folder of the running srlm, where srlm-worker and srlm-trainer lie too.
std::string ProgramFolder();

}  // namespace srlm::cli
