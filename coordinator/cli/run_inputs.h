// What `srlm run` needs before it starts anything: a configuration that is right, files that can be read.
#pragma once

#include <string>

#include "common/base/status.h"
#include "common/config/config.h"
#include "coordinator/cli/commands.h"
#include "coordinator/rounds/inputs.h"

namespace srlm::cli {

struct RunInputs {
  config::RunConfig config;
  rounds::Inputs files;
  std::string run_dir;
};

/// Reads the configuration and every file that it names, row by row, and checks that the programs lie beside srlm when
/// they are to be started, and that their devices are there where they are this host's; of a new run, and for --check,
/// the texts too (rounds::CheckInputTexts). Messages carry file:line or the key.
Result<RunInputs> LoadRunInputs(const RunOptions& options);

/// The folder of the running srlm, where srlm-worker and srlm-trainer lie too.
std::string ProgramFolder();

}  // namespace srlm::cli
