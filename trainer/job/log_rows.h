// The job's JSON Lines: rows as issue and documentation name their fields.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "trainer/batches/sample.h"
#include "trainer/job/options.h"
#include "trainer/job/reporter.h"

namespace srlm::trainer {

/// A step's row: step, loss, learning_rate, grad_norm, tokens, seconds; for DPO the rewards, margin, accuracy and
/// log-probabilities too, and `nll` and `sft_loss` where they are part of the loss. No other row of a log has `loss`.
nlohmann::ordered_json StepRow(Method method, const StepValues& values);

/// The row where a job goes on: {"event": "resumed", step, checkpoint, refused}.
nlohmann::ordered_json ResumedRow(int64_t step, const std::string& checkpoint, const std::vector<std::string>& refused);

/// The last row: {"event": "done", model_folder, model_id, steps, tokens, seconds, reference_seconds, steps_seconds,
/// peak_rss_bytes}; `seconds` are this process's own, with loading.
nlohmann::ordered_json DoneRow(const JobResult& result, double reference_seconds, double seconds);

/// Writes --print-logprobs: one row a sample, in the data's order. SFT: {"row", "logp", "tokens"}; DPO: {"row",
/// "prompt_id", "chosen_logp", "rejected_logp", "chosen_tokens", "rejected_tokens"}. `row` counts from 0; tokens are
/// the response's, its end-of-turn token included.
Status WriteLogprobs(const std::string& path, std::span<const Sample> samples,
                     const std::vector<std::vector<double>>& logp);

}  // namespace srlm::trainer
