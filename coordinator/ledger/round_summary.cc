#include "coordinator/ledger/round_summary.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "coordinator/ledger/database.h"

namespace srlm::ledger {
namespace {

using Json = nlohmann::json;

// One row of numbers of a query about a round.
template <class... V>
Status Count(const Ledger& ledger, const std::string& sql, int round, V&... values) {
  SRLM_ASSIGN_OR_RETURN(Query query, ledger.database().Prepare(sql));
  query.BindNext(round);
  SRLM_ASSIGN_OR_RETURN(const bool found, query.Step());
  if (found) query.Read(values...);
  return OkStatus();
}

Status CountRows(const Ledger& ledger, int round, v1::RoundSummary& s) {
  int64_t prompts = 0, new_prompts = 0, candidates = 0, unscored = 0, votes = 0, parsed = 0, pairs = 0, ties = 0;
  int64_t failed = 0;
  std::optional<double> mean_score, mean_length;
  SRLM_RETURN_IF_ERROR(Count(ledger, "SELECT count(*), ifnull(sum(is_new), 0) FROM prompts WHERE round = ?", round,
                             prompts, new_prompts));
  SRLM_RETURN_IF_ERROR(
      Count(ledger,
            "SELECT count(*), ifnull(sum(use = 'unscored'), 0), avg(score), avg(length(token_ids) / 4) "
            "FROM candidates WHERE round = ?",
            round, candidates, unscored, mean_score, mean_length));
  SRLM_RETURN_IF_ERROR(Count(ledger, "SELECT count(*), ifnull(sum(state = 'parsed'), 0) FROM votes WHERE round = ?",
                             round, votes, parsed));
  SRLM_RETURN_IF_ERROR(Count(
      ledger, "SELECT ifnull(sum(outcome = 'paired'), 0), ifnull(sum(outcome = 'tie'), 0) FROM pairs WHERE round = ?",
      round, pairs, ties));
  SRLM_RETURN_IF_ERROR(Count(ledger, "SELECT ifnull(sum(failed), 0) FROM item_faults WHERE round = ?", round, failed));
  s.set_prompts(prompts);
  s.set_new_prompts(new_prompts);
  s.set_candidates(candidates);
  s.set_unscored(unscored);
  s.set_votes(votes);
  s.set_pairs(pairs);
  s.set_ties(ties);
  s.set_failed_items(failed);
  if (votes > 0) s.set_parse_rate(static_cast<double>(parsed) / static_cast<double>(votes));
  if (mean_score) s.set_mean_score(*mean_score);
  if (mean_length) s.set_mean_length(*mean_length);
  return OkStatus();
}

void ReadEstimate(const Json& metrics, const char* key, v1::Estimate& estimate) {
  const auto found = metrics.find(key);
  if (found == metrics.end() || !found->is_object()) return;
  const auto number = [&](const char* name) {
    return found->contains(name) && (*found)[name].is_number() ? (*found)[name].get<double>() : 0.0;
  };
  estimate.set_value(number("value"));
  estimate.set_low(number("low"));
  estimate.set_high(number("high"));
  estimate.set_n(static_cast<uint64_t>(number("n")));
}

void ReadJudge(const std::string& text, v1::JudgeEvaluation& judge) {
  const Json metrics = Json::parse(text, nullptr, false);
  if (!metrics.is_object()) return;
  ReadEstimate(metrics, "pairwise_accuracy", *judge.mutable_pairwise_accuracy());
  ReadEstimate(metrics, "pairwise_accuracy_length_matched", *judge.mutable_pairwise_accuracy_length_matched());
  ReadEstimate(metrics, "exact_match", *judge.mutable_exact_match());
  ReadEstimate(metrics, "spearman", *judge.mutable_spearman());
  ReadEstimate(metrics, "kendall", *judge.mutable_kendall());
  ReadEstimate(metrics, "sampled_parse_rate", *judge.mutable_parse_rate());
  ReadEstimate(metrics, "longer_wins", *judge.mutable_longer_wins());
  v1::Estimate correlation;
  ReadEstimate(metrics, "length_correlation", correlation);
  judge.set_score_length_correlation(correlation.value());
}

}  // namespace

Result<std::vector<v1::RoundSummary>> SummariseRounds(const Ledger& ledger) {
  SRLM_ASSIGN_OR_RETURN(const std::vector<RoundRow> rounds, ledger.Rounds());
  SRLM_ASSIGN_OR_RETURN(const std::vector<JobRow> jobs, ledger.Jobs());
  std::vector<v1::RoundSummary> summaries;
  for (const RoundRow& round : rounds) {
    v1::RoundSummary& s = summaries.emplace_back();
    s.set_round(static_cast<uint32_t>(round.round));
    s.set_model(fmt::format("M{}", round.round + 1));
    SRLM_RETURN_IF_ERROR(CountRows(ledger, round.round, s));
    SRLM_ASSIGN_OR_RETURN(const auto model, ledger.Model(s.model()));
    if (model) s.set_model_id(model->model_id);
    SRLM_ASSIGN_OR_RETURN(const auto metrics, ledger.Evaluation(s.model()));
    if (metrics) ReadJudge(*metrics, *s.mutable_judge());
    for (const JobRow& job : jobs) {
      if (job.round != round.round) continue;
      if (job.first_loss) s.set_first_loss(*job.first_loss);
      if (job.loss) s.set_loss(*job.loss);
      if (job.margin) s.set_margin(*job.margin);
      if (job.accuracy) s.set_accuracy(*job.accuracy);
    }
  }
  return summaries;
}

}  // namespace srlm::ledger
