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

/// The threads of a rank, as an identity lists them.
int ThreadsOf(const checkpoint::JobIdentity& identity, int rank);

/// In what the job `there` differs from `now`, for people; empty: they are the same. Threads are looked at where
/// `options` names them: else those of the job's first launch are taken. Another number of ranks is no difference: sums
/// over ranks have another order from then on, and rounding with them.
std::string DifferenceTo(const checkpoint::JobIdentity& there, checkpoint::JobIdentity now,
                         const TrainerOptions& options);

/// The names of the settings that count the ranks, and list the threads of each.
inline constexpr char kRanks[] = "ranks";
inline constexpr char kThreads[] = "threads";

}  // namespace srlm::trainer
