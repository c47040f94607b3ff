#include "coordinator/rounds/round_problems.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "coordinator/rounds/judge_program.h"
#include "coordinator/rounds/parse_rate.h"

namespace srlm::rounds {
namespace {

/// For a model that does not judge as it should; `other` would help, too.
std::string TeachJudging(std::string_view other) {
  return fmt::format(
      "The model does not know how to judge: train it on more judged answers (data.eft) or longer (sft.*) in a new "
      "run, {} in a new run",
      other);
}

constexpr std::string_view kOtherJudging = "let it say nothing but a digit (judge.verdict: digit or expected)";
constexpr std::string_view kOtherComparison = "compare by probabilities (evaluation.comparison: expected)";
constexpr std::string_view kOtherEvaluation =
    "ask for no written judgements (judge.verdict: digit or expected, evaluation.sampled_votes: 0)";

std::string_view RemedyOfTies(config::JudgeVerdict verdict) {
  switch (verdict) {
    case config::JudgeVerdict::kProgram: return "let judge.program tell answers apart, in a new run";
    case config::JudgeVerdict::kExpected:
      return "begin a new run with a lower pairs.min_gap, or judged answers with all scores in data.eft";
    default:
      return "begin a new run with judge.verdict: expected, more votes (judge.votes), or judged answers with all "
             "scores in data.eft";
  }
}

// Too few votes of the round's judge, whoever that is, could be read.
Result<std::string> VotesProblem(const Context& context, const ledger::RoundCounts& counts) {
  if (counts.votes.votes == 0) return std::string();
  const double rate = counts.votes.Health().parse_rate;
  ParseRate parsed{fmt::format("round {}", counts.round), rate, counts.votes.votes, {}, TeachJudging(kOtherJudging)};
  if (JudgedByProgram(context.config)) {
    parsed.counted = "candidates got a score from judge.program";
    parsed.remedy = "Look at what it read and wrote in " + JudgementFolder(context.run_dir, counts.round);
  } else if (rate < context.config.judge.min_parse_rate) {  // reading them looks at all votes
    SRLM_ASSIGN_OR_RETURN(parsed.unread, context.ledger.UnreadVotes(counts.round, kUnreadShown));
  }
  return ParseRateProblem(context, parsed);
}

// The same of its comparisons of judgements.
Result<std::string> MetaVotesProblem(const Context& context, int round) {
  SRLM_ASSIGN_OR_RETURN(const ledger::MetaCounts meta, context.ledger.GetMetaCounts(round));
  if (meta.comparisons == 0 || context.config.meta_judge.verdict != config::VerdictKind::kSampled) return std::string();
  ParseRate parsed{fmt::format("round {}", round),
                   static_cast<double>(meta.parsed) / static_cast<double>(meta.comparisons),
                   meta.comparisons,
                   {},
                   "The model does not know how to compare: set meta_judge.verdict to expected or meta_judge.enabled "
                   "to false in a new run",
                   "comparisons of judgements ended with [[A]], [[B]] or [[C]]"};
  if (parsed.rate < context.config.judge.min_parse_rate) {
    SRLM_ASSIGN_OR_RETURN(parsed.unread, context.ledger.UnreadMetaVotes(round, kUnreadShown));
  }
  return ParseRateProblem(context, parsed);
}

// How many answers were left out since they were cut, and what to do; empty: none.
std::string CutAnswers(const Context& context, const ledger::RoundCounts& counts) {
  if (counts.dropped == 0) return "";
  return fmt::format(
      "{} of {} answers were cut at generation.max_new_tokens: {} and left out (generation.cut_candidates: drop): "
      "begin a new run with more tokens, or with generation.cut_candidates: keep",
      counts.dropped, counts.candidates, context.config.generation.max_new_tokens);
}

// A round without a single pair in which every prompt was judged alike, or no prompt or answer was left.
Result<std::string> NoPairsProblem(const Context& context, const ledger::RoundCounts& counts) {
  if (counts.prompts == 0 && context.config.prompts.new_per_round == 0)
    return fmt::format(
        "round {}: no given prompt is left in {}; begin a new run with a longer file, a lower prompts.per_round, or "
        "prompts.new_per_round above 0",
        counts.round, context.config.data.prompts);
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
  if (counts.candidates > 0 && counts.dropped == counts.candidates)
    return fmt::format("round {}: no answer is left to judge: {}. `srlm inspect RUN candidates` shows them",
                       counts.round, CutAnswers(context, counts));
  // An anchor's pair is of another model's answer: its ties say less.
  if (counts.pairs > 0 || counts.ties < counts.prompts || context.config.pairs.rule == config::PairRule::kAnchored)
    return std::string();
  return fmt::format(
      "round {}: all {} prompts ended in ties: the judge gave every answer of a prompt the same score, so that nothing "
      "can be learnt from it. `srlm inspect RUN candidates` shows the scores; {}",
      counts.round, counts.prompts, RemedyOfTies(context.config.judge.verdict));
}

}  // namespace

Result<std::string> PairProblem(const Context& context, int round) {
  SRLM_ASSIGN_OR_RETURN(const ledger::RoundCounts counts, context.ledger.Counts(round));
  SRLM_ASSIGN_OR_RETURN(std::string problem, VotesProblem(context, counts));
  if (!problem.empty()) return problem;
  SRLM_ASSIGN_OR_RETURN(problem, MetaVotesProblem(context, round));
  if (!problem.empty()) return problem;
  const int64_t pairs = counts.pairs;
  SRLM_ASSIGN_OR_RETURN(problem, NoPairsProblem(context, counts));
  if (!problem.empty()) return problem;
  if (context.config.pairs.soft_labels == config::SoftLabels::kCream && counts.consistencies == 0 && pairs > 0)
    return fmt::format(
        "round {}: no prompt has two answers with a likelihood under M{}, so that pairs.soft_labels: cream has no "
        "label; the item_set_aside events (`srlm inspect RUN events`) say why. Begin a new run with pairs.soft_labels: "
        "none, or with more answers (generation.samples)",
        round, round - 1);
  if (pairs >= context.config.pairs.min_pairs_per_round) return std::string();
  const std::string cut = CutAnswers(context, counts);
  return fmt::format(
      "round {}: {} prompts gave {} {}, and pairs.min_pairs_per_round asks for {}. `srlm inspect RUN pairs` says why "
      "for each prompt; {}start a new run with more prompts (prompts.per_round) or candidates (generation.samples){}",
      round, counts.prompts, pairs,
      context.config.pairs.rule == config::PairRule::kPositive ? "answers to train on" : "pairs",
      context.config.pairs.min_pairs_per_round, cut.empty() ? "" : cut + "; or ",
      pairs > 0 ? fmt::format(", or go on as it is with --set pairs.min_pairs_per_round={}", pairs) : "");
}

Result<std::string> EvaluationProblem(const Context& context, const std::string& model) {
  const config::JudgeConfig& judge = context.config.judge;
  SRLM_ASSIGN_OR_RETURN(const auto text, context.ledger.Evaluation(model));
  if (!text) return std::string();
  const auto metrics = nlohmann::json::parse(*text, nullptr, false);
  const bool writes = judge.verdict == config::JudgeVerdict::kSampled && judge.model == "policy";
  for (const char* key : {"sampled_parse_rate", "comparison_parse_rate"}) {
    if (!metrics.contains(key) || !metrics[key]["value"].is_number()) continue;
    const bool compared = key == std::string_view("comparison_parse_rate");
    // What the model writes as a judge decides nothing when something else judges, or only its digits are looked at.
    if (!compared && !writes) continue;
    ParseRate parsed{compared ? "comparisons of the answers of " + model : model + " on answers it was not trained on",
                     metrics[key]["value"].get<double>(),
                     metrics[key]["n"].get<int64_t>(),
                     {},
                     TeachJudging(compared ? kOtherComparison : kOtherEvaluation)};
    if (parsed.rate < judge.min_parse_rate) {
      SRLM_ASSIGN_OR_RETURN(parsed.unread, compared ? context.ledger.UnreadComparisons(model, kUnreadShown)
                                                    : context.ledger.UnreadEvaluationVotes(model, kUnreadShown));
    }
    std::string problem = ParseRateProblem(context, parsed);
    if (!problem.empty()) return problem;
  }
  return std::string();
}

Result<std::string> SelectionProblem(const Context& context, const std::string& model, const data::Figure& parsed) {
  ParseRate rate{"comparisons of the answers of " + model, parsed.value, parsed.n, {}, TeachJudging(kOtherComparison)};
  if (parsed.n > 0 && rate.rate < context.config.judge.min_parse_rate) {
    SRLM_ASSIGN_OR_RETURN(rate.unread, context.ledger.UnreadComparisons(model, kUnreadShown));
  }
  return ParseRateProblem(context, rate);
}

}  // namespace srlm::rounds
