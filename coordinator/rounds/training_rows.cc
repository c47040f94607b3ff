#include "coordinator/rounds/training_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/base/random.h"

namespace srlm::rounds {
namespace {

Result<ledger::CandidateRow> CandidateOf(const ledger::Ledger& ledger, const ledger::PairRow& pair, int sample) {
  SRLM_ASSIGN_OR_RETURN(auto row, ledger.Candidate(pair.round, pair.position, sample));
  if (!row) return InternalError(fmt::format("candidate {} of prompt {} is not in the ledger", sample, pair.prompt_id));
  return std::move(*row);
}

Result<data::PreferenceRow> PreferenceOf(const ledger::Ledger& ledger, const ledger::PairRow& pair,
                                         const std::string& sampler_id) {
  SRLM_ASSIGN_OR_RETURN(const auto prompt, ledger.Prompt(pair.round, pair.position));
  if (!prompt) return InternalError("prompt " + pair.prompt_id + " is not in the ledger");
  SRLM_ASSIGN_OR_RETURN(const ledger::CandidateRow chosen, CandidateOf(ledger, pair, pair.chosen_sample));
  SRLM_ASSIGN_OR_RETURN(const ledger::CandidateRow rejected, CandidateOf(ledger, pair, pair.rejected_sample));
  data::PreferenceRow row;
  row.prompt_id = pair.prompt_id;
  row.prompt = prompt->input;
  row.prompt_token_ids = prompt->token_ids;
  row.chosen = chosen.text;
  row.chosen_token_ids = chosen.token_ids;
  row.rejected = rejected.text;
  row.rejected_token_ids = rejected.token_ids;
  if (!sampler_id.empty() && chosen.model_id == sampler_id && rejected.model_id == sampler_id) {
    row.reference_chosen_logp = chosen.logprob;
    row.reference_rejected_logp = rejected.logprob;
  }
  return row;
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
  if (config.dpo.reference == config::Reference::kSampler) {
    SRLM_ASSIGN_OR_RETURN(const auto model, ledger.Model(fmt::format("M{}", round)));
    if (model) sampler_id = model->model_id;
  }
  SRLM_ASSIGN_OR_RETURN(const std::vector<ledger::PairRow> own, ledger.MadePairs(round));
  for (const ledger::PairRow& pair : own) {
    SRLM_ASSIGN_OR_RETURN(const data::PreferenceRow row, PreferenceOf(ledger, pair, sampler_id));
    SRLM_RETURN_IF_ERROR(use(row));
  }
  SRLM_ASSIGN_OR_RETURN(const auto earlier, EarlierPairs(config, ledger, round, static_cast<int64_t>(own.size())));
  for (const ledger::PairKey& key : earlier) {
    SRLM_ASSIGN_OR_RETURN(const auto pair, ledger.Pair(key));
    if (!pair)
      return InternalError(
          fmt::format("pair {} of position {} of round {} is gone", key.pair, key.position, key.round));
    SRLM_ASSIGN_OR_RETURN(const data::PreferenceRow row, PreferenceOf(ledger, *pair, sampler_id));
    SRLM_RETURN_IF_ERROR(use(row));
  }
  return OkStatus();
}

}  // namespace srlm::rounds
