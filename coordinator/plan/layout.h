// Where a model fits: how many GPUs share it in a replica, and what of it a training rank holds.
#pragma once

#include <vector>

#include "common/base/status.h"
#include "common/config/config.h"
#include "common/model/model_config.h"
#include "coordinator/plan/machine.h"
#include "coordinator/plan/memory.h"
#include "coordinator/plan/phases.h"

namespace srlm::plan {

/// The share of a GPU's memory that may be planned for.
inline constexpr double kUsableShare = 0.9;

/// Sets workers.{tensor_parallel, replicas, kv_cache_mib, max_batch}, trainer.{ranks, sharding}, activation
/// checkpointing and micro_batch_tokens of `config` for so many GPUs: the GPUs a replica with which the phases of
/// workers take the least time, with room for some sequences, and the least that is sharded or computed again.
/// ResourceExhausted says what is too large for them.
Status SuggestLayout(const model::ModelConfig& model, const std::vector<Phase>& phases, int gpus,
                     const Machine& machine, const Precision& precision, config::RunConfig& config);

}  // namespace srlm::plan
