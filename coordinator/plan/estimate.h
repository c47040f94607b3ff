// How long phases take on a machine, and what their programs hold meanwhile.
#pragma once

#include <vector>

#include "common/config/config.h"
#include "common/model/model_config.h"
#include "coordinator/plan/machine.h"
#include "coordinator/plan/memory.h"
#include "coordinator/plan/phases.h"

namespace srlm::plan {

/// Seconds of a phase on config.workers' replicas, or config.trainer's ranks: reading, writing with as many sequences
/// at once as there are and fit, and what comes before the first step. All replicas and ranks are taken to be like the
/// machine's, and the work to divide evenly.
double SecondsOf(const Phase& phase, const model::ModelConfig& model, const config::RunConfig& config,
                 const Machine& machine, const Precision& precision);

/// Sequences of a serving phase that a replica decodes at once: its batch, as far as there are so many and the cache
/// holds them.
double BatchOf(const Serving& serving, const model::ModelConfig& model, const config::WorkersConfig& workers,
               const Precision& precision);

/// The most that a worker's rank holds in any of the phases, and a trainer's.
WorkerMemory PeakOfWorker(const std::vector<Phase>& phases, const model::ModelConfig& model,
                          const config::WorkersConfig& workers, const Precision& precision);
TrainerMemory PeakOfTrainer(const std::vector<Phase>& phases, const model::ModelConfig& model,
                            const config::RunConfig& config, const Precision& precision);

/// Bytes that the run has on disk at most: its models, one job's checkpoints with the one being written, and the models
/// that it saves to choose among.
double DiskOf(const config::RunConfig& config, const model::ModelConfig& model, const std::vector<Phase>& phases);

}  // namespace srlm::plan
