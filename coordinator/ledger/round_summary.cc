#include "coordinator/ledger/round_summary.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "coordinator/ledger/database.h"
#include "coordinator/ledger/round_health.h"

namespace srlm::ledger {
namespace {

using Json = nlohmann::json;

Result<int64_t> FailedItems(const Ledger& ledger, int round) {
  SRLM_ASSIGN_OR_RETURN(Query query,
                        ledger.database().Prepare("SELECT ifnull(sum(failed), 0) FROM item_faults WHERE round = ?"));
  query.BindNext(round);
  SRLM_RETURN_IF_ERROR(query.Step().status());
  int64_t failed = 0;
  query.Read(failed);
  return failed;
}

Status SetCounts(const Ledger& ledger, int round, v1::RoundSummary& s) {
  SRLM_ASSIGN_OR_RETURN(const RoundCounts counts, ledger.Counts(round));
  SRLM_ASSIGN_OR_RETURN(const int64_t failed, FailedItems(ledger, round));
  const data::VoteTally& votes = counts.votes;
  s.set_prompts(static_cast<uint64_t>(counts.prompts));
  s.set_new_prompts(static_cast<uint64_t>(counts.new_prompts));
  s.set_candidates(static_cast<uint64_t>(counts.candidates));
  s.set_unscored(static_cast<uint64_t>(votes.unscored + counts.not_judged));
  s.set_votes(static_cast<uint64_t>(votes.votes));
  s.set_pairs(static_cast<uint64_t>(counts.pairs));
  s.set_ties(static_cast<uint64_t>(counts.ties));
  SRLM_ASSIGN_OR_RETURN(const MetaCounts meta, ledger.GetMetaCounts(round));
  s.set_judge_pairs(static_cast<uint64_t>(meta.judge_pairs));
  s.set_failed_items(static_cast<uint64_t>(failed));
  if (votes.votes > 0) s.set_parse_rate(votes.Health().parse_rate);
  if (votes.scored > 0) s.set_mean_score(votes.Health().mean_score);
  if (counts.candidates > 0)
    s.set_mean_length(static_cast<double>(counts.tokens) / static_cast<double>(counts.candidates));
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

void ReadJudge(const Json& metrics, v1::JudgeEvaluation& judge) {
  ReadEstimate(metrics, "pairwise_accuracy", *judge.mutable_pairwise_accuracy());
  ReadEstimate(metrics, "pairwise_accuracy_length_matched", *judge.mutable_pairwise_accuracy_length_matched());
  ReadEstimate(metrics, "exact_match", *judge.mutable_exact_match());
  ReadEstimate(metrics, "five_best", *judge.mutable_five_best());
  ReadEstimate(metrics, "spearman", *judge.mutable_spearman());
  ReadEstimate(metrics, "kendall", *judge.mutable_kendall());
  ReadEstimate(metrics, "sampled_parse_rate", *judge.mutable_parse_rate());
  ReadEstimate(metrics, "longer_wins", *judge.mutable_longer_wins());
  v1::Estimate correlation;
  ReadEstimate(metrics, "length_correlation", correlation);
  judge.set_score_length_correlation(correlation.value());
}

// Figures that were counted, by the names that people see.
void ReadEvaluation(const std::string& text, v1::RoundSummary& s) {
  const Json metrics = Json::parse(text, nullptr, false);
  if (!metrics.is_object()) return;
  if (metrics.contains("pairwise_accuracy")) ReadJudge(metrics, *s.mutable_judge());
  constexpr const char* kComparison[] = {
      "win", "tie", "lose", "win_rate", "win_rate_length_controlled", "preference", "flipped", "prefers_first"};
  const auto read = [&](const char* part, const char* key, const std::string& name) {
    if (!metrics.contains(part) || !metrics[part].is_object()) return;
    v1::Estimate estimate;
    ReadEstimate(metrics[part], key, estimate);
    if (estimate.n() > 0) (*s.mutable_figures())[name] = estimate;
  };
  for (const char* key : kComparison) read("head_to_head", key, key);
  for (const char* key : {"characters", "tokens", "cut"}) read("answers_given", key, key);
  read("held_out", "logprob_per_token", "held_out_logprob_per_token");
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
    SRLM_RETURN_IF_ERROR(SetCounts(ledger, round.round, s));
    SRLM_ASSIGN_OR_RETURN(const auto model, ledger.Model(s.model()));
    if (model) s.set_model_id(model->model_id);
    SRLM_ASSIGN_OR_RETURN(const auto metrics, ledger.Evaluation(s.model()));
    if (metrics) ReadEvaluation(*metrics, s);
    SRLM_ASSIGN_OR_RETURN(const auto health, RoundHealth(ledger, round.round));
    s.mutable_health()->insert(health.begin(), health.end());
    for (const JobRow& job : jobs) {
      if (job.round != round.round) continue;
      if (job.first_loss) s.set_first_loss(*job.first_loss);
      if (job.loss) s.set_loss(*job.loss);
      if (job.margin) s.set_margin(*job.margin);
      if (job.accuracy) s.set_accuracy(*job.accuracy);
      if (job.selected_step >= 0) s.set_selected_step(static_cast<uint64_t>(job.selected_step));
    }
  }
  return summaries;
}

}  // namespace srlm::ledger
