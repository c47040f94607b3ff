#include "coordinator/rounds/pair_maker.h"

#include <fmt/format.h>

#include <cmath>

#include <nlohmann/json.hpp>

#include "common/data/judge_metrics.h"
#include "coordinator/rounds/judge_program.h"

namespace srlm::rounds {
namespace {

// The same question for a round's votes and for a model's evaluation.
std::string ParseRateProblem(const Context& context, const std::string& what, double rate, int64_t votes,
                             bool by_program = false) {
  const double least = context.config.judge.min_parse_rate;
  if (votes == 0 || rate >= least) return "";
  if (by_program)
    return fmt::format(
        "{}: judge.program gave a score to only {:.0f} % of {} candidates, and judge.min_parse_rate asks for {:.0f} %. "
        "Look at {}, or go on as it is with --set judge.min_parse_rate={:.2f}",
        what, 100 * rate, votes, 100 * least, "RUN/judgements", std::floor(100 * rate) / 100);
  return fmt::format(
      "{}: only {:.0f} % of {} sampled votes could be read, and judge.min_parse_rate asks for {:.0f} %. The model does "
      "not know how to judge: train it on more judged answers (data.eft) or longer (sft.*) in a new run, or go on as "
      "it "
      "is with --set judge.min_parse_rate={:.2f}",
      what, 100 * rate, votes, 100 * least, std::floor(100 * rate) / 100);
}

}  // namespace

data::PairOptions PairOptionsOf(const config::RunConfig& config) {
  const bool length_controlled = config.pairs.rule == config::PairRule::kLengthControlled;
  return {.rule = length_controlled ? data::PairRule::kLengthControlled : data::PairRule::kExtremes,
          .min_gap = config.pairs.min_gap,
          .keep_cut = config.generation.cut_candidates == config::CutCandidates::kKeep,
          .max_pairs = config.pairs.max_per_prompt,
          .rho = config.pairs.rho};
}

PromptDecision DecidePrompt(const config::RunConfig& config, const ledger::PromptRow& prompt,
                            const std::vector<ledger::CandidateRow>& candidates) {
  std::vector<data::ScoredCandidate> scored;
  for (const ledger::CandidateRow& row : candidates)
    scored.push_back({row.sample, row.score, row.cut, static_cast<int>(row.token_ids.size()), row.text});
  const data::PairOptions options = PairOptionsOf(config);
  const data::PairDecision decision = data::ChoosePairs(scored, options);
  PromptDecision made;
  ledger::PairRow row;
  row.round = prompt.round;
  row.position = prompt.position;
  row.prompt_id = prompt.prompt_id;
  row.rule = data::PairRuleName(options.rule);
  row.outcome = data::PairOutcomeName(decision.outcome);
  row.reason = prompt.state == "failed" ? "no candidates: " + prompt.reason : decision.reason;
  if (decision.pairs.empty()) made.pairs.push_back(row);
  for (const data::ChosenPair& pair : decision.pairs) {
    row.pair = static_cast<int>(made.pairs.size());
    row.chosen_sample = pair.chosen_sample;
    row.rejected_sample = pair.rejected_sample;
    row.chosen_score = pair.chosen_score;
    row.rejected_score = pair.rejected_score;
    row.chosen_tokens = pair.chosen_tokens;
    row.rejected_tokens = pair.rejected_tokens;
    row.reason = pair.reason;
    made.pairs.push_back(row);
  }
  for (const data::CandidateUse use : decision.uses) made.uses.emplace_back(data::CandidateUseName(use));
  return made;
}

void CountDecided(const std::vector<ledger::CandidateRow>& candidates,
                  const std::vector<std::vector<ledger::VoteRow>>& votes, const std::vector<ledger::PairRow>& pairs,
                  ledger::RoundCounts& counts) {
  std::vector<double> scores;  // of the prompt's candidates so far
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (votes[i].empty()) continue;
    data::CandidateVotes judged{candidates[i].prompt_id, {}, {}, data::CountCharacters(candidates[i].text)};
    for (const ledger::VoteRow& row : votes[i]) {
      judged.states.push_back(data::VerdictStateFromName(row.state).value_or(data::VerdictState::kAbsent));
      judged.scores.push_back(row.score);
    }
    counts.votes.Add(judged, scores);
    if (candidates[i].score) scores.push_back(*candidates[i].score);
  }
  for (const ledger::PairRow& pair : pairs) {
    counts.pairs += pair.chosen_sample >= 0;
    counts.ties += pair.outcome == data::PairOutcomeName(data::PairOutcome::kTie);
  }
}

PairMaker::PairMaker(const Context& context, int round, const ledger::RoundCounts& counts)
    : context_(context), round_(round), counts_(counts) {
  counts_.votes = {};
  counts_.pairs = 0;
  counts_.ties = 0;
}

Status PairMaker::Make(const ledger::PromptRow& prompt) {
  ledger::Ledger& ledger = context_.ledger;
  SRLM_ASSIGN_OR_RETURN(const auto candidates, ledger.CandidatesOf(round_, prompt.position));
  std::vector<std::vector<ledger::VoteRow>> votes;
  for (const ledger::CandidateRow& row : candidates) {
    SRLM_ASSIGN_OR_RETURN(votes.emplace_back(), ledger.VotesOf(round_, row.position, row.sample));
  }
  const PromptDecision decision = DecidePrompt(context_.config, prompt, candidates);
  CountDecided(candidates, votes, decision.pairs, counts_);
  for (const ledger::PairRow& row : decision.pairs) SRLM_RETURN_IF_ERROR(ledger.AddPair(row).status());
  for (size_t i = 0; i < candidates.size(); ++i)
    SRLM_RETURN_IF_ERROR(ledger.SetCandidateUse(round_, prompt.position, candidates[i].sample, decision.uses[i]));
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
    std::string problem = ParseRateProblem(context, fmt::format("round {}", round), counts.votes.Health().parse_rate,
                                           counts.votes.votes, JudgedByProgram(context.config));
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
