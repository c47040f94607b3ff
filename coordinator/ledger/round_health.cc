#include "coordinator/ledger/round_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace srlm::ledger {
namespace {

using Figures = std::map<std::string, double>;

double Ratio(int64_t part, int64_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

void AddVotes(const RoundCounts& counts, Figures& figures) {
  const data::VoteTally& votes = counts.votes;
  const data::VoteHealth health = votes.Health();
  const int64_t judged = votes.scored + votes.unscored;
  if (votes.votes > 0) figures["parse_rate"] = health.parse_rate;
  if (judged > 0) figures["unscored_rate"] = Ratio(votes.unscored, judged);
  int64_t scores = 0;
  for (const int64_t count : votes.histogram) scores += count;
  if (scores > 0) {
    figures["mean_score"] = health.mean_score;
    figures["commonest_score_rate"] = Ratio(std::ranges::max(votes.histogram), scores);
    figures["length_correlation"] = health.length_correlation;
    for (size_t score = 0; score < votes.histogram.size(); ++score)
      figures[fmt::format("score_{}", score)] = Ratio(votes.histogram[score], scores);
  }
  if (votes.variances > 0) figures["vote_variance"] = health.mean_vote_variance;
  if (votes.score_pairs > 0) figures["tie_rate"] = health.tie_rate;
}

Status AddCandidates(const Ledger& ledger, const RoundCounts& counts, Figures& figures) {
  if (counts.candidates == 0) return OkStatus();
  SRLM_ASSIGN_OR_RETURN(const auto round, ledger.Round(counts.round));
  if (round && round->pairs_closed) figures["duplicate_rate"] = Ratio(counts.duplicates, counts.candidates);
  SRLM_ASSIGN_OR_RETURN(const RoundCounts first, ledger.Counts(1));
  if (first.candidates > 0 && first.tokens > 0)
    figures["length_drift"] = Ratio(counts.tokens, counts.candidates) / Ratio(first.tokens, first.candidates);
  return OkStatus();
}

Status AddMeta(const Ledger& ledger, int round, Figures& figures) {
  SRLM_ASSIGN_OR_RETURN(const MetaCounts counts, ledger.GetMetaCounts(round));
  const int64_t wins = counts.first_wins + counts.second_wins;
  if (counts.comparisons > 0) figures["meta_parse_rate"] = Ratio(counts.parsed, counts.comparisons);
  if (counts.both_orders > 0) figures["meta_flip_rate"] = Ratio(counts.flips, counts.both_orders);
  if (wins > 0) figures["meta_first_rate"] = Ratio(counts.first_wins, wins);
  return OkStatus();
}

// A figure of M<model>'s evaluation, if it was counted.
Result<std::optional<double>> Measured(const Ledger& ledger, int model, const char* pointer) {
  SRLM_ASSIGN_OR_RETURN(const auto text, ledger.Evaluation(fmt::format("M{}", model)));
  if (!text) return std::optional<double>();
  const auto metrics = nlohmann::json::parse(*text, nullptr, false);
  const nlohmann::json::json_pointer at(pointer);
  if (!metrics.is_object() || !metrics.contains(at) || !metrics[at].is_object()) return std::optional<double>();
  const nlohmann::json& figure = metrics[at];
  if (figure.value("n", 0) == 0 || !figure.contains("value")) return std::optional<double>();
  return std::optional<double>(figure.at("value").get<double>());
}

Result<std::optional<double>> JudgeAccuracy(const Ledger& ledger, int model) {
  return Measured(ledger, model, "/pairwise_accuracy");
}

Status AddModel(const Ledger& ledger, int round, Figures& figures) {
  SRLM_ASSIGN_OR_RETURN(const auto accuracy, JudgeAccuracy(ledger, round + 1));
  SRLM_ASSIGN_OR_RETURN(const auto first, JudgeAccuracy(ledger, 1));
  if (accuracy) figures["judge_accuracy"] = *accuracy;
  if (accuracy && first) figures["judge_accuracy_change"] = *accuracy - *first;
  SRLM_ASSIGN_OR_RETURN(const auto flips, Measured(ledger, round + 1, "/head_to_head/flipped"));
  if (flips) figures["order_flip_rate"] = *flips;
  SRLM_ASSIGN_OR_RETURN(const auto jobs, ledger.JobsOf(round));
  for (const JobRow& job : jobs) {
    if (job.state != "done") continue;
    if (job.chosen_logp_change) figures["chosen_logp_change"] = *job.chosen_logp_change;
    if (job.rejected_logp_change) figures["rejected_logp_change"] = *job.rejected_logp_change;
  }
  return OkStatus();
}

}  // namespace

Result<Figures> RoundHealth(const Ledger& ledger, int round) {
  Figures figures;
  if (round > 0) {
    SRLM_ASSIGN_OR_RETURN(const RoundCounts counts, ledger.Counts(round));
    AddVotes(counts, figures);
    SRLM_RETURN_IF_ERROR(AddCandidates(ledger, counts, figures));
    SRLM_RETURN_IF_ERROR(AddMeta(ledger, round, figures));
    if (counts.log_ratios > 0) figures["kl_from_m0"] = counts.log_ratio_sum / static_cast<double>(counts.log_ratios);
  }
  SRLM_RETURN_IF_ERROR(AddModel(ledger, round, figures));
  return figures;
}

}  // namespace srlm::ledger
