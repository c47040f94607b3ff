// What makes two training jobs the same.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "common/checkpoint/checkpoint.h"
#include "trainer/job/options.h"

namespace srlm::trainer {

/// Everything that the bits of a step depend on, beside the step's number: model, data, options, ranks and the threads
/// of each (`threads`, by rank).
checkpoint::JobIdentity IdentityOf(const TrainerOptions& options, const std::string& model_id,
                                   const std::string& data_sha256, int64_t total_steps,
                                   std::span<const int64_t> threads);

/// In what the job `there` differs from `now`, for people; empty: they are the same. Threads are looked at where
/// `options` names them: else those of the job's first launch are taken.
std::string DifferenceTo(const checkpoint::JobIdentity& there, checkpoint::JobIdentity now,
                         const TrainerOptions& options);

/// The name of the setting that lists each rank's threads.
inline constexpr char kThreads[] = "threads";

}  // namespace srlm::trainer
