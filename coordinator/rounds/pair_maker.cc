#include "coordinator/rounds/pair_maker.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "common/base/check.h"
#include "common/data/judge_metrics.h"
#include "common/data/ranking_agreement.h"
#include "coordinator/rounds/answers.h"

namespace srlm::rounds {
namespace {

data::PairMethod MethodOf(config::PairRule rule) {
  switch (rule) {
    case config::PairRule::kExtremes: return data::PairMethod::kExtremes;
    case config::PairRule::kLengthControlled: return data::PairMethod::kLengthControlled;
    case config::PairRule::kAnchored: return data::PairMethod::kAnchored;
    case config::PairRule::kPositive: return data::PairMethod::kPositive;
  }
  SRLM_CHECK(false, "a rule of the configuration");
  return data::PairMethod::kExtremes;
}

// How far the round's model and the one before rank a prompt's answers alike, by length-normalised log-likelihood.
std::optional<double> Consistency(const std::vector<ledger::CandidateRow>& candidates,
                                  const std::vector<ledger::LikelihoodRow>& likelihoods) {
  std::vector<double> now, before;
  for (const ledger::LikelihoodRow& row : likelihoods) {
    const auto candidate = std::ranges::find(candidates, row.sample, &ledger::CandidateRow::sample);
    if (row.model != fmt::format("M{}", row.round - 1)) continue;
    if (!row.logprob || candidate == candidates.end() || candidate->token_ids.empty()) continue;
    const auto tokens = static_cast<double>(candidate->token_ids.size());
    now.push_back(candidate->logprob / tokens);
    before.push_back(*row.logprob / tokens);
  }
  return now.size() < 2 ? std::nullopt : std::optional(data::RankingAgreement(now, before));
}

}  // namespace

data::PairOptions PairOptionsOf(const config::RunConfig& config) {
  return {.method = MethodOf(config.pairs.rule),
          .min_gap = config.pairs.min_gap,
          .keep_cut = config.generation.cut_candidates == config::CutCandidates::kKeep,
          .max_pairs = config.pairs.max_per_prompt,
          .rho = config.pairs.rho,
          .positive_min_score = config.pairs.positive_min_score};
}

PromptDecision DecidePrompt(const config::RunConfig& config, const ledger::PromptRow& prompt,
                            const std::vector<ledger::CandidateRow>& candidates,
                            const std::vector<ledger::LikelihoodRow>& likelihoods) {
  std::vector<data::ScoredCandidate> scored;
  for (const ledger::CandidateRow& row : candidates)
    scored.push_back({row.sample, row.score, row.cut, static_cast<int>(row.token_ids.size()),
                      IsAnchor(config, row.sample), row.text});
  const data::PairDecision decision = data::ChoosePairs(scored, PairOptionsOf(config));
  PromptDecision made;
  ledger::PairRow row;
  row.round = prompt.round;
  row.position = prompt.position;
  row.prompt_id = prompt.prompt_id;
  row.rule = config::NameOf(config.pairs.rule);
  row.outcome = data::PairOutcomeName(decision.outcome);
  row.reason = prompt.state == "failed" ? "no candidates: " + prompt.reason : decision.reason;
  if (prompt.state == "answered" && !prompt.reason.empty()) row.reason = "no answers of the anchor: " + prompt.reason;
  row.consistency = Consistency(candidates, likelihoods);
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

void CountDecided(const config::RunConfig& config, const std::vector<ledger::CandidateRow>& candidates,
                  const std::vector<std::vector<ledger::VoteRow>>& votes,
                  const std::vector<ledger::LikelihoodRow>& likelihoods, const std::vector<ledger::PairRow>& pairs,
                  ledger::RoundCounts& counts) {
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (IsAnchor(config, candidates[i].sample)) continue;
    const auto equal = [&](const ledger::CandidateRow& other) {
      return other.token_hash == candidates[i].token_hash && !IsAnchor(config, other.sample);
    };
    counts.duplicates += std::ranges::any_of(std::span(candidates).first(i), equal);
  }
  std::vector<double> scores;  // of the prompt's candidates so far
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (votes[i].empty() || IsAnchor(config, candidates[i].sample)) continue;
    data::CandidateVotes judged{candidates[i].prompt_id, {}, {}, data::CountCharacters(candidates[i].text)};
    for (const ledger::VoteRow& row : votes[i]) {
      judged.states.push_back(data::VerdictStateFromName(row.state).value_or(data::VerdictState::kAbsent));
      judged.scores.push_back(row.score);
    }
    counts.votes.Add(judged, scores);
    if (candidates[i].score) scores.push_back(*candidates[i].score);
  }
  for (const ledger::LikelihoodRow& row : likelihoods) {
    const auto candidate = std::ranges::find(candidates, row.sample, &ledger::CandidateRow::sample);
    if (row.model != "M0" || !row.logprob || candidate == candidates.end()) continue;
    counts.log_ratio_sum += candidate->logprob - *row.logprob;
    ++counts.log_ratios;
  }
  if (!pairs.empty() && pairs.front().consistency) {
    counts.consistency_sum += *pairs.front().consistency;
    ++counts.consistencies;
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
  counts_.consistency_sum = 0;
  counts_.consistencies = 0;
  counts_.duplicates = 0;
  counts_.log_ratio_sum = 0;
  counts_.log_ratios = 0;
}

Status PairMaker::Make(const ledger::PromptRow& prompt) {
  ledger::Ledger& ledger = context_.ledger;
  SRLM_ASSIGN_OR_RETURN(const auto candidates, ledger.CandidatesOf(round_, prompt.position));
  std::vector<std::vector<ledger::VoteRow>> votes;
  for (const ledger::CandidateRow& row : candidates) {
    SRLM_ASSIGN_OR_RETURN(votes.emplace_back(), ledger.VotesOf(round_, row.position, row.sample));
  }
  SRLM_ASSIGN_OR_RETURN(const auto likelihoods, ledger.LikelihoodsOf(round_, prompt.position));
  const PromptDecision decision = DecidePrompt(context_.config, prompt, candidates, likelihoods);
  CountDecided(context_.config, candidates, votes, likelihoods, decision.pairs, counts_);
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
    std::string made = fmt::format("{} of {} prompts", counts_.pairs, counts_.prompts);
    if (counts_.consistencies > 0)
      made += fmt::format(", mean consistency of the rankings {:.3f}",
                          counts_.consistency_sum / static_cast<double>(counts_.consistencies));
    SRLM_RETURN_IF_ERROR(context_.Event("info", round_, "pairs_made", made));
    return true;
  }
  context_.turn_again();
  return false;
}

}  // namespace srlm::rounds
