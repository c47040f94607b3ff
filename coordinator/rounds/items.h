// Items of work, made from rows: text becomes token ids, and every sample gets its counted random stream.
#pragma once

#include <string>
#include <vector>

#include "common/base/random.h"
#include "common/base/status.h"
#include "coordinator/rounds/context.h"

namespace srlm::rounds {

std::string CandidateItemId(int round, const std::string& prompt_id);
std::string VoteItemId(int round, const std::string& prompt_id, int sample);
std::string EvaluationItemId(const std::string& model, int answer, bool expected);

/// Attempt `attempt` at a new prompt, shown `instructions` as examples.
Result<schedule::WorkItem> NewPromptItem(const Context& context, int round, int attempt,
                                         const std::vector<std::string>& instructions);

/// All samples of a prompt.
schedule::WorkItem CandidateItem(const Context& context, const text::Chat& chat, const ledger::PromptRow& prompt);

/// All votes on a candidate, or its expected verdict, as the configuration says.
Result<schedule::WorkItem> VoteItem(const Context& context, const ledger::PromptRow& prompt,
                                    const ledger::CandidateRow& candidate, const std::string& made_by);

/// The judgement of ranked answer `answer` by `model`'s judge: the expected verdict, or the sampled votes.
Result<schedule::WorkItem> EvaluationItem(const Context& context, const std::string& model, int answer, bool expected);

/// Expected score over the digits' log-probabilities, these normalised to 1.
double ExpectedScore(const v1::ItemResult& result);

/// The stream that draws the examples and the text of an attempt.
RandomStream AttemptStream(const config::RunConfig& config, int round, int attempt);

}  // namespace srlm::rounds
