#include "coordinator/rounds/round_problems.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "coordinator/rounds/judge_program.h"

namespace srlm::rounds {
namespace {

constexpr size_t kShown = 5;  // judgements that could not be read
constexpr size_t kShownBytes = 300;

/// What a judge wrote, on a line of its own; cut where it is long.
std::string Quoted(const std::string& text) {
  std::string line = text.substr(0, kShownBytes);
  while (line.size() < text.size() && !line.empty() && (static_cast<unsigned char>(text[line.size()]) & 0xC0) == 0x80)
    line.pop_back();  // not within a character
  const bool cut = line.size() < text.size();
  std::ranges::replace(line, '\n', ' ');
  return fmt::format("\n  \"{}{}\"", line, cut ? "..." : "");
}

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
      "it is with --set judge.min_parse_rate={:.2f}",
      what, 100 * rate, votes, 100 * least, std::floor(100 * rate) / 100);
}

/// Shows the first judgements that could not be read; `texts` has as many as there are, or more.
std::string WithUnread(std::string problem, const std::vector<std::string>& texts) {
  if (!texts.empty()) problem += ". The first that could not be read:";
  for (size_t i = 0; i < std::min(texts.size(), kShown); ++i) problem += Quoted(texts[i]);
  return problem;
}

// A round without a single pair in which every prompt was judged alike, or none was left to answer.
Result<std::string> NoPairsProblem(const Context& context, const ledger::RoundCounts& counts) {
  if (counts.prompts == 0) {
    SRLM_ASSIGN_OR_RETURN(const auto reasons, context.ledger.Rejections(counts.round));
    std::vector<std::string> why;
    for (const auto& [reason, count] : reasons) why.push_back(fmt::format("{} {}", count, reason));
    return fmt::format(
        "round {}: no prompt is left to answer: none that the model wrote passed the filters ({}). `srlm inspect RUN "
        "prompts` shows them; begin a new run with prompts of your own (data.prompts, and prompts.new_per_round below "
        "prompts.per_round), another prompts.writer, or looser filters",
        counts.round, fmt::join(why, ", "));
  }
  if (counts.pairs == 0 && counts.ties == counts.prompts)
    return fmt::format(
        "round {}: all {} prompts ended in ties: the judge gave every answer of a prompt the same score, so that "
        "nothing can be learnt from it. `srlm inspect RUN candidates` shows the scores; begin a new run with "
        "judge.verdict: expected, more votes (judge.votes), or judged answers with all scores in data.eft",
        counts.round, counts.prompts);
  return std::string();
}

}  // namespace

Result<std::string> PairProblem(const Context& context, int round) {
  SRLM_ASSIGN_OR_RETURN(const ledger::RoundCounts counts, context.ledger.Counts(round));
  if (counts.votes.votes > 0) {
    const bool by_program = JudgedByProgram(context.config);
    std::string problem = ParseRateProblem(context, fmt::format("round {}", round), counts.votes.Health().parse_rate,
                                           counts.votes.votes, by_program);
    if (!problem.empty()) {
      SRLM_ASSIGN_OR_RETURN(const auto rows, context.ledger.UnreadVotes(round, by_program ? 0 : int64_t{kShown}));
      std::vector<std::string> unread;
      for (const ledger::VoteRow& row : rows) unread.push_back(row.text);
      return WithUnread(std::move(problem), unread);
    }
  }
  const int64_t pairs = counts.pairs;
  SRLM_ASSIGN_OR_RETURN(const std::string nothing, NoPairsProblem(context, counts));
  if (!nothing.empty()) return nothing;
  if (context.config.pairs.soft_labels == config::SoftLabels::kCream && counts.consistencies == 0 && pairs > 0)
    return fmt::format(
        "round {}: no prompt has two answers with a likelihood under M{}, so that pairs.soft_labels: cream has no "
        "label; the item_set_aside events (`srlm inspect RUN events`) say why",
        round, round - 1);
  if (pairs >= context.config.pairs.min_pairs_per_round) return std::string();
  return fmt::format(
      "round {}: {} prompts gave {} {}, and pairs.min_pairs_per_round asks for {}. `srlm inspect RUN pairs` says why "
      "for each prompt; start a new run with more prompts (prompts.per_round) or candidates (generation.samples){}",
      round, counts.prompts, pairs,
      context.config.pairs.rule == config::PairRule::kPositive ? "answers to train on" : "pairs",
      context.config.pairs.min_pairs_per_round,
      pairs > 0 ? fmt::format(", or go on as it is with --set pairs.min_pairs_per_round={}", pairs) : "");
}

Result<std::string> EvaluationProblem(const Context& context, const std::string& model) {
  SRLM_ASSIGN_OR_RETURN(const auto text, context.ledger.Evaluation(model));
  if (!text) return std::string();
  const auto metrics = nlohmann::json::parse(*text, nullptr, false);
  const auto& rate = metrics["sampled_parse_rate"];
  if (!rate.is_object() || !rate["value"].is_number()) return std::string();
  std::string problem = ParseRateProblem(context, model + " on answers it was not trained on",
                                         rate["value"].get<double>(), rate["n"].get<int64_t>());
  if (problem.empty()) return problem;
  SRLM_ASSIGN_OR_RETURN(const auto votes, context.ledger.EvaluationVotes(model));
  std::vector<std::string> unread;
  for (const ledger::EvaluationVoteRow& row : votes)
    if (!row.score && row.state != "failed") unread.push_back(row.text);
  return WithUnread(std::move(problem), unread);
}

}  // namespace srlm::rounds
