#include "coordinator/rounds/pair_maker.h"

#include <fmt/format.h>

#include <cmath>

#include <nlohmann/json.hpp>

#include "common/data/pairs.h"

namespace srlm::rounds {
namespace {

// The same question for a round's votes and for a model's evaluation.
std::string ParseRateProblem(const Context& context, const std::string& what, double rate, int64_t votes) {
  const double least = context.config.judge.min_parse_rate;
  if (votes == 0 || rate >= least) return "";
  return fmt::format(
      "{}: only {:.0f} % of {} sampled votes could be read, and judge.min_parse_rate asks for {:.0f} %. The model does "
      "not know how to judge: train it on more judged answers (data.eft) or longer (sft.*) in a new run, or go on as "
      "it "
      "is with --set judge.min_parse_rate={:.2f}",
      what, 100 * rate, votes, 100 * least, std::floor(100 * rate) / 100);
}

}  // namespace

Status MakePairs(const Context& context, int round) {
  ledger::Ledger& ledger = context.ledger;
  const data::PairOptions options{.min_gap = context.config.pairs.min_gap,
                                  .keep_cut = context.config.generation.cut_candidates == config::CutCandidates::kKeep};
  SRLM_ASSIGN_OR_RETURN(const auto prompts, ledger.Prompts(round));
  for (const ledger::PromptRow& prompt : prompts) {
    SRLM_ASSIGN_OR_RETURN(const auto rows, ledger.CandidatesOf(round, prompt.prompt_id));
    std::vector<data::ScoredCandidate> candidates;
    for (const ledger::CandidateRow& row : rows) candidates.push_back({row.sample, row.score, row.cut, row.text});
    const data::PairDecision decision = data::ChooseExtremes(candidates, options);
    ledger::PairRow pair{.round = round, .prompt_id = prompt.prompt_id};
    pair.outcome = data::PairOutcomeName(decision.outcome);
    pair.chosen_sample = decision.chosen_sample;
    pair.rejected_sample = decision.rejected_sample;
    pair.chosen_score = decision.chosen_score;
    pair.rejected_score = decision.rejected_score;
    pair.reason = prompt.state == "failed" ? "no candidates: " + prompt.reason : decision.reason;
    SRLM_RETURN_IF_ERROR(ledger.AddPair(pair).status());
    for (size_t i = 0; i < rows.size(); ++i)
      SRLM_RETURN_IF_ERROR(ledger.SetCandidateUse(round, prompt.prompt_id, rows[i].sample,
                                                  std::string(data::CandidateUseName(decision.uses[i]))));
  }
  return OkStatus();
}

Result<std::string> PairProblem(const Context& context, int round) {
  int64_t pairs = 0, votes = 0, parsed = 0;
  SRLM_ASSIGN_OR_RETURN(const auto pair_rows, context.ledger.Pairs(round));
  for (const ledger::PairRow& row : pair_rows) pairs += row.chosen_sample >= 0;
  SRLM_ASSIGN_OR_RETURN(const auto vote_rows, context.ledger.Votes(round));
  for (const ledger::VoteRow& row : vote_rows) {
    ++votes;
    parsed += row.score.has_value();
  }
  if (votes > 0) {
    std::string problem = ParseRateProblem(context, fmt::format("round {}", round),
                                           static_cast<double>(parsed) / static_cast<double>(votes), votes);
    if (!problem.empty()) return problem;
  }
  if (pairs >= context.config.pairs.min_pairs_per_round) return std::string();
  return fmt::format(
      "round {}: {} prompts gave {} pairs, and pairs.min_pairs_per_round asks for {}. `srlm inspect RUN pairs` says "
      "why "
      "for each prompt; start a new run with more prompts (prompts.per_round) or candidates (generation.samples)"
      "{}",
      round, pair_rows.size(), pairs, context.config.pairs.min_pairs_per_round,
      pairs > 0 ? fmt::format(", or go on as it is with --set pairs.min_pairs_per_round={}", pairs) : "");
}

Result<std::string> EvaluationProblem(const Context& context, const std::string& model) {
  SRLM_ASSIGN_OR_RETURN(const auto text, context.ledger.Evaluation(model));
  if (!text) return std::string();
  const auto metrics = nlohmann::json::parse(*text, nullptr, false);
  const auto& rate = metrics["sampled_parse_rate"];
  if (!rate.is_object() || !rate["value"].is_number()) return std::string();
  return ParseRateProblem(context, model + " on answers it was not trained on", rate["value"].get<double>(),
                          rate["n"].get<int64_t>());
}

}  // namespace srlm::rounds
