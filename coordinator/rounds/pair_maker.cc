#include "coordinator/rounds/pair_maker.h"

#include <fmt/format.h>

#include <cmath>

#include <nlohmann/json.hpp>

#include "common/data/judge_metrics.h"

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

data::PairOptions PairOptionsOf(const config::RunConfig& config) {
  return {.min_gap = config.pairs.min_gap,
          .keep_cut = config.generation.cut_candidates == config::CutCandidates::kKeep};
}

PairMaker::PairMaker(const Context& context, int round, const ledger::RoundCounts& counts)
    : context_(context), round_(round), counts_(counts) {
  counts_.votes = {};
  counts_.pairs = 0;
  counts_.ties = 0;
}

Status PairMaker::CountVotes(const ledger::CandidateRow& candidate, std::vector<double>& scores) {
  SRLM_ASSIGN_OR_RETURN(const auto rows, context_.ledger.VotesOf(round_, candidate.position, candidate.sample));
  if (rows.empty()) return OkStatus();
  data::CandidateVotes votes{candidate.prompt_id, {}, {}, data::CountCharacters(candidate.text)};
  for (const ledger::VoteRow& row : rows) {
    votes.states.push_back(data::VerdictStateFromName(row.state).value_or(data::VerdictState::kAbsent));
    votes.scores.push_back(row.score);
  }
  counts_.votes.Add(votes, scores);
  if (candidate.score) scores.push_back(*candidate.score);
  return OkStatus();
}

Status PairMaker::Make(const ledger::PromptRow& prompt) {
  ledger::Ledger& ledger = context_.ledger;
  const data::PairOptions options = PairOptionsOf(context_.config);
  SRLM_ASSIGN_OR_RETURN(const auto rows, ledger.CandidatesOf(round_, prompt.position));
  std::vector<data::ScoredCandidate> candidates;
  std::vector<double> scores;
  for (const ledger::CandidateRow& row : rows) {
    candidates.push_back({row.sample, row.score, row.cut, row.text});
    SRLM_RETURN_IF_ERROR(CountVotes(row, scores));
  }
  const data::PairDecision decision = data::ChooseExtremes(candidates, options);
  ledger::PairRow pair{.round = round_, .position = prompt.position, .prompt_id = prompt.prompt_id};
  pair.outcome = data::PairOutcomeName(decision.outcome);
  pair.chosen_sample = decision.chosen_sample;
  pair.rejected_sample = decision.rejected_sample;
  pair.chosen_score = decision.chosen_score;
  pair.rejected_score = decision.rejected_score;
  pair.reason = prompt.state == "failed" ? "no candidates: " + prompt.reason : decision.reason;
  counts_.pairs += decision.paired();
  counts_.ties += decision.outcome == data::PairOutcome::kTie;
  SRLM_RETURN_IF_ERROR(ledger.AddPair(pair).status());
  for (size_t i = 0; i < rows.size(); ++i)
    SRLM_RETURN_IF_ERROR(ledger.SetCandidateUse(round_, prompt.position, rows[i].sample,
                                                std::string(data::CandidateUseName(decision.uses[i]))));
  return OkStatus();
}

Result<bool> PairMaker::MakeSome() {
  constexpr std::chrono::milliseconds kSlice(20);
  constexpr int64_t kPromptsAtOnce = 16;
  const Deadline slice = Deadline::After(kSlice);
  while (!slice.Expired()) {
    SRLM_ASSIGN_OR_RETURN(const auto prompts, context_.ledger.PromptsAfter(round_, done_until_, kPromptsAtOnce));
    for (const ledger::PromptRow& prompt : prompts) {
      SRLM_RETURN_IF_ERROR(Make(prompt));
      done_until_ = prompt.position;
    }
    if (!prompts.empty()) continue;
    SRLM_RETURN_IF_ERROR(context_.ledger.SetCounts(counts_));
    return true;
  }
  return false;
}

Result<std::string> PairProblem(const Context& context, int round) {
  SRLM_ASSIGN_OR_RETURN(const ledger::RoundCounts counts, context.ledger.Counts(round));
  if (counts.votes.votes > 0) {
    std::string problem =
        ParseRateProblem(context, fmt::format("round {}", round), counts.votes.Health().parse_rate, counts.votes.votes);
    if (!problem.empty()) return problem;
  }
  const int64_t pairs = counts.pairs;
  if (pairs >= context.config.pairs.min_pairs_per_round) return std::string();
  return fmt::format(
      "round {}: {} prompts gave {} pairs, and pairs.min_pairs_per_round asks for {}. `srlm inspect RUN pairs` says "
      "why "
      "for each prompt; start a new run with more prompts (prompts.per_round) or candidates (generation.samples)"
      "{}",
      round, counts.prompts, pairs, context.config.pairs.min_pairs_per_round,
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
