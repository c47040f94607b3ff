// A run's rows in the forms that TRL and other trainers read.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "coordinator/cli/run_reader.h"

namespace srlm::cli {

/// Gives each exported row of `kind` to `write`, in the order of rounds and prompts:
///   pairs       {"prompt", "chosen", "rejected"} as message lists, *_token_ids and *_score beside them, and with
///   CREAM's
///               labels "chosen_probability"
///   candidates  {"prompt", "completion"} as message lists, token ids, score, votes, use
///   sft         {"messages"}: every pair's prompt and chosen answer
/// Every row carries round and prompt_id. Prompts that no chat template renders are texts instead of message lists.
/// `round` 0: all. Stops at the first failure.
Status ExportRows(RunReader& run, const std::string& kind, int round,
                  const std::function<Status(const nlohmann::ordered_json&)>& write);

}  // namespace srlm::cli
