// How fast this machine's ranks are: the run's own programs on made-up text, as many of them at once as the run has.
#pragma once

#include <functional>
#include <string>

#include "common/base/status.h"
#include "common/config/config.h"
#include "common/model/model_config.h"
#include "coordinator/plan/machine.h"
#include "coordinator/plan/phases.h"

namespace srlm::plan {

struct ProbeOptions {
  std::string program_folder;             // with srlm-worker and srlm-trainer
  std::string folder;                     // where files and logs go, empty; it is the caller's to remove
  std::function<bool()> stopped;          // whether the person wants an end
  std::function<void(std::string)> says;  // what is being measured
};

/// Whether all ranks of a run are on the coordinator's host.
bool OnThisHost(const config::RunConfig& config);

/// On this host; FailedPrecondition where the configuration names others. Starts the workers as config.launcher says:
/// all replicas read prompts and write answers, with the batch of the answers and with a batch of one; then the trainer
/// makes two steps of pairs. `answers` and `dpo` give the lengths. Fails as a launch fails, with the programs' last
/// words; Aborted when it was stopped.
Result<Machine> Probe(const config::RunConfig& config, const model::ModelConfig& model, const Serving& answers,
                      const Training& dpo, const ProbeOptions& options);

}  // namespace srlm::plan
