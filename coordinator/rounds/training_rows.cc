#include "coordinator/rounds/training_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "common/base/random.h"

namespace srlm::rounds {
namespace {

Result<ledger::CandidateRow> CandidateOf(const ledger::Ledger& ledger, const ledger::PairRow& pair, int sample) {
  SRLM_ASSIGN_OR_RETURN(auto row, ledger.Candidate(pair.round, pair.position, sample));
  if (!row) return InternalError(fmt::format("candidate {} of prompt {} is not in the ledger", sample, pair.prompt_id));
  return std::move(*row);
}

Result<ledger::PromptRow> PromptOf(const ledger::Ledger& ledger, const ledger::PairRow& pair) {
  SRLM_ASSIGN_OR_RETURN(auto row, ledger.Prompt(pair.round, pair.position));
  if (!row) return InternalError("prompt " + pair.prompt_id + " is not in the ledger");
  return std::move(*row);
}

/// The two texts, candidates or judgements, and what they were worth to the model that made both, where that is
/// `sampler_id`.
template <class Row>
void SetTexts(const Row& chosen, const Row& rejected, const std::string& sampler_id, data::PreferenceRow& row) {
  row.chosen = chosen.text;
  row.chosen_token_ids = chosen.token_ids;
  row.rejected = rejected.text;
  row.rejected_token_ids = rejected.token_ids;
  if (!sampler_id.empty() && chosen.model_id == sampler_id && rejected.model_id == sampler_id) {
    row.reference_chosen_logp = chosen.logprob;
    row.reference_rejected_logp = rejected.logprob;
  }
}

Result<data::PreferenceRow> PreferenceOf(const ledger::Ledger& ledger, const ledger::PairRow& pair,
                                         const std::string& sampler_id) {
  SRLM_ASSIGN_OR_RETURN(const ledger::PromptRow prompt, PromptOf(ledger, pair));
  SRLM_ASSIGN_OR_RETURN(const ledger::CandidateRow chosen, CandidateOf(ledger, pair, pair.chosen_sample));
  SRLM_ASSIGN_OR_RETURN(const ledger::CandidateRow rejected, CandidateOf(ledger, pair, pair.rejected_sample));
  data::PreferenceRow row;
  row.prompt_id = pair.prompt_id;
  row.prompt = prompt.input;
  row.prompt_token_ids = prompt.token_ids;
  SetTexts(chosen, rejected, sampler_id, row);
  return row;
}

Result<data::PreferenceRow> PreferenceOf(const ledger::Ledger& ledger, const ledger::JudgePairRow& pair,
                                         const std::string& sampler_id) {
  SRLM_ASSIGN_OR_RETURN(const auto votes, ledger.VotesOf(pair.round, pair.position, pair.sample));
  if (std::max(pair.chosen_vote, pair.rejected_vote) >= static_cast<int>(votes.size()))
    return InternalError("a judgement of prompt " + pair.prompt_id + " is not in the ledger");
  const ledger::VoteRow& chosen = votes[static_cast<size_t>(pair.chosen_vote)];
  const ledger::VoteRow& rejected = votes[static_cast<size_t>(pair.rejected_vote)];
  data::PreferenceRow row;
  row.prompt_id = pair.prompt_id;
  row.prompt = data::PromptInput::FromUser(pair.judge_prompt);
  row.prompt_token_ids = pair.prompt_token_ids;
  SetTexts(chosen, rejected, sampler_id, row);
  return row;
}

// CREAM's label of a round's pairs: the mean consistency of its prompts; none where labels are certain.
Result<std::optional<double>> ChosenProbability(const config::RunConfig& config, const ledger::Ledger& ledger,
                                                int round) {
  if (config.pairs.soft_labels == config::SoftLabels::kNone) return std::optional<double>();
  SRLM_ASSIGN_OR_RETURN(const ledger::RoundCounts counts, ledger.Counts(round));
  if (counts.consistencies == 0)
    return InternalError(fmt::format("round {} has no consistency, and pairs.soft_labels is cream", round));
  return std::optional<double>(counts.consistency_sum / static_cast<double>(counts.consistencies));
}

}  // namespace

Result<std::vector<ledger::PairKey>> EarlierPairs(const config::RunConfig& config, const ledger::Ledger& ledger,
                                                  int round, int64_t own) {
  std::vector<ledger::PairKey> keys;
  const double share = config.pairs.earlier_share;
  const auto wanted = static_cast<size_t>(std::llround(static_cast<double>(own) * share / (1 - share)));
  if (wanted == 0) return keys;
  SRLM_ASSIGN_OR_RETURN(keys, ledger.PairsBefore(round));
  if (keys.size() <= wanted) return keys;
  const RandomStream stream(config.seed, {StreamId("earlier_pairs"), static_cast<uint64_t>(round)});
  for (size_t i = 0; i < wanted; ++i) std::swap(keys[i], keys[i + stream.Below(i, keys.size() - i)]);
  keys.resize(wanted);
  std::ranges::sort(keys);
  return keys;
}

Status ForEachPreference(const config::RunConfig& config, const ledger::Ledger& ledger, int round,
                         const std::function<Status(const data::PreferenceRow& row)>& use) {
  std::string sampler_id;
  if (config::ReferenceOf(config) == config::Reference::kSampler) {
    SRLM_ASSIGN_OR_RETURN(const auto model, ledger.Model(fmt::format("M{}", round)));
    if (model) sampler_id = model->model_id;
  }
  std::map<int, std::optional<double>> labels;  // by round
  const auto give = [&](const ledger::PairRow& pair) -> Status {
    if (!labels.contains(pair.round)) {
      SRLM_ASSIGN_OR_RETURN(labels[pair.round], ChosenProbability(config, ledger, pair.round));
    }
    SRLM_ASSIGN_OR_RETURN(data::PreferenceRow row, PreferenceOf(ledger, pair, sampler_id));
    row.chosen_probability = labels[pair.round];
    return use(row);
  };
  SRLM_ASSIGN_OR_RETURN(const std::vector<ledger::PairRow> own, ledger.MadePairs(round));
  for (const ledger::PairRow& pair : own) SRLM_RETURN_IF_ERROR(give(pair));
  SRLM_ASSIGN_OR_RETURN(const auto judgements, ledger.MadeJudgePairs(round));
  for (const ledger::JudgePairRow& pair : judgements) {
    SRLM_ASSIGN_OR_RETURN(const data::PreferenceRow row, PreferenceOf(ledger, pair, sampler_id));
    SRLM_RETURN_IF_ERROR(use(row));
  }
  SRLM_ASSIGN_OR_RETURN(const auto earlier,
                        EarlierPairs(config, ledger, round, static_cast<int64_t>(own.size() + judgements.size())));
  for (const ledger::PairKey& key : earlier) {
    SRLM_ASSIGN_OR_RETURN(const auto pair, ledger.Pair(key));
    if (!pair)
      return InternalError(
          fmt::format("pair {} of position {} of round {} is gone", key.pair, key.position, key.round));
    SRLM_RETURN_IF_ERROR(give(*pair));
  }
  return OkStatus();
}

Status ForEachGood(const ledger::Ledger& ledger, int round, const std::function<Status(const data::SftRow& row)>& use) {
  SRLM_ASSIGN_OR_RETURN(const std::vector<ledger::PairRow> good, ledger.MadePairs(round));
  for (const ledger::PairRow& pair : good) {
    SRLM_ASSIGN_OR_RETURN(const ledger::PromptRow prompt, PromptOf(ledger, pair));
    SRLM_ASSIGN_OR_RETURN(const ledger::CandidateRow answer, CandidateOf(ledger, pair, pair.chosen_sample));
    data::SftRow row;
    row.prompt = prompt.input;
    row.prompt_token_ids = prompt.token_ids;
    row.completion = answer.text;
    row.completion_token_ids = answer.token_ids;
    SRLM_RETURN_IF_ERROR(use(row));
  }
  return OkStatus();
}

}  // namespace srlm::rounds
