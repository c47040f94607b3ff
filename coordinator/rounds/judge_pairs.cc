#include "coordinator/rounds/judge_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace srlm::rounds {
namespace {

constexpr char kPaired[] = "paired";

// Wins by place of the judgements in `votes`, whose numbers in the ledger these are.
data::WinMatrix Wins(const std::vector<int>& votes, const std::vector<ledger::MetaVoteRow>& comparisons,
                     const data::PlaceWeights& weights) {
  data::WinMatrix wins(votes.size(), std::vector<double>(votes.size()));
  const auto index = [&](int vote) { return static_cast<size_t>(std::ranges::find(votes, vote) - votes.begin()); };
  for (const ledger::MetaVoteRow& row : comparisons) {
    const size_t first = index(row.first), second = index(row.second);
    if (first == votes.size() || second == votes.size()) continue;
    if (row.verdict == "a") wins[first][second] += weights.first;
    if (row.verdict == "b") wins[second][first] += weights.second;
  }
  return wins;
}

struct Extremes {
  size_t best = 0;
  size_t worst = 0;
};

Extremes ExtremesOf(const std::vector<double>& scores) {
  const auto best = std::ranges::max_element(scores), worst = std::ranges::min_element(scores);
  return {static_cast<size_t>(best - scores.begin()), static_cast<size_t>(worst - scores.begin())};
}

}  // namespace

Result<ledger::JudgePairRow> DecideJudgePair(const config::RunConfig& config, const ledger::Ledger& ledger, int round,
                                             const MetaSubject& subject, const data::PlaceWeights& weights) {
  SRLM_ASSIGN_OR_RETURN(const auto prompt, ledger.Prompt(round, subject.position));
  if (!prompt) return InternalError(fmt::format("prompt {} of round {} is gone", subject.position, round));
  ledger::JudgePairRow row{.round = round, .position = subject.position, .prompt_id = prompt->prompt_id};
  row.sample = subject.sample;
  row.variance = subject.variance;
  const auto because = [&row](const char* outcome, const std::string& reason) {
    row.outcome = outcome;
    row.reason = reason;
    return row;
  };
  if (subject.sample < 0) return because("no_variance", "no answer has two judgements with different scores");
  if (!subject.compared)
    return because("not_compared", fmt::format("its votes have variance {:.3f}, and meta_judge.max_prompts is {}",
                                               subject.variance, config.meta_judge.max_prompts));
  SRLM_ASSIGN_OR_RETURN(const auto judgements, ledger.VotesOf(round, subject.position, subject.sample));
  SRLM_ASSIGN_OR_RETURN(const auto comparisons, ledger.MetaVotesOf(round, subject.position));
  std::vector<int> votes;
  for (const ledger::VoteRow& vote : judgements)
    if (vote.score) votes.push_back(vote.vote);
  const std::vector<double> scores = data::EloScores(Wins(votes, comparisons, weights));
  const Extremes found = ExtremesOf(scores);
  if (scores[found.best] == scores[found.worst])
    return because("tie", fmt::format("{} comparisons put none of its {} judgements above another", comparisons.size(),
                                      votes.size()));
  const ledger::VoteRow& chosen = judgements[static_cast<size_t>(votes[found.best])];
  const ledger::VoteRow& rejected = judgements[static_cast<size_t>(votes[found.worst])];
  row.chosen_vote = chosen.vote;
  row.rejected_vote = rejected.vote;
  row.chosen_elo = scores[found.best];
  row.rejected_elo = scores[found.worst];
  row.chosen_score = chosen.score.value_or(0);
  row.rejected_score = rejected.score.value_or(0);
  row.chosen_tokens = static_cast<int>(chosen.token_ids.size());
  row.rejected_tokens = static_cast<int>(rejected.token_ids.size());
  if (chosen.token_ids == rejected.token_ids) return because("same_text", "the best and the worst are the same words");
  const int most = config.meta_judge.max_chosen_tokens;
  if (most > 0 && row.chosen_tokens > most)
    return because("too_long", fmt::format("the best judgement has {} tokens, and meta_judge.max_chosen_tokens is {}",
                                           row.chosen_tokens, most));
  return because(kPaired,
                 fmt::format("of {} judgements of sample {} (variance {:.3f}) {} has Elo {:.3f} and {} has {:.3f}; a "
                             "win counts {:.3f} in the first place, {:.3f} in the second",
                             votes.size(), row.sample, row.variance, row.chosen_vote, row.chosen_elo, row.rejected_vote,
                             row.rejected_elo, weights.first, weights.second));
}

void LimitShare(const config::RunConfig& config, int64_t pairs, std::vector<ledger::JudgePairRow>& rows) {
  const double share = config.meta_judge.max_share;
  // A little more than exact: 0.15 of 20 are 3 of 17 and 3.
  const auto most = static_cast<size_t>(std::floor(static_cast<double>(pairs) * share / (1 - share) + 1e-9));
  std::vector<ledger::JudgePairRow*> order;
  for (ledger::JudgePairRow& row : rows)
    if (row.outcome == kPaired) order.push_back(&row);
  std::ranges::stable_sort(order, [](const auto* a, const auto* b) { return a->variance > b->variance; });
  for (size_t i = most; i < order.size(); ++i) {
    order[i]->outcome = "over_share";
    order[i]->reason = fmt::format(
        "its votes have variance {:.3f}; of {} pairs of judgements {} may stand beside {} "
        "of answers (meta_judge.max_share {})",
        order[i]->variance, order.size(), most, pairs, share);
  }
}

Status JudgePairMaker::Begin() {
  begun_ = true;
  SRLM_ASSIGN_OR_RETURN(counts_, context_.ledger.CountMeta(round_));
  weights_ = data::WeighPlaces(counts_.first_wins, counts_.second_wins);
  return OkStatus();
}

// A row that is trained on has the judge's question, as the votes' items had it.
Status JudgePairMaker::Store(ledger::JudgePairRow& row) {
  if (row.outcome == kPaired) {
    ++counts_.judge_pairs;
    SRLM_ASSIGN_OR_RETURN(const auto prompt, context_.ledger.Prompt(round_, row.position));
    SRLM_ASSIGN_OR_RETURN(const auto candidate, context_.ledger.Candidate(round_, row.position, row.sample));
    if (!prompt || !candidate) return InternalError("an answer to prompt " + row.prompt_id + " is gone");
    row.judge_prompt = context_.inputs.judge_template.Fill(data::PlainText(prompt->input), candidate->text);
    SRLM_ASSIGN_OR_RETURN(const text::Chat* chat,
                          context_.models.ChatOf(*context_.models.Find(fmt::format("M{}", round_))));
    SRLM_ASSIGN_OR_RETURN(row.prompt_token_ids, chat->PromptTokens(std::vector<Message>{{"user", row.judge_prompt}}));
  }
  return context_.ledger.AddJudgePair(row).status();
}

Status JudgePairMaker::Finish() {
  SRLM_RETURN_IF_ERROR(context_.ledger.SetMetaCounts(counts_));
  std::map<std::string, int> others;
  for (const ledger::JudgePairRow& row : rows_)
    if (row.outcome != kPaired) ++others[row.outcome];
  std::string made = fmt::format("{} of {} prompts", counts_.judge_pairs, rows_.size());
  for (const auto& [outcome, count] : others) made += fmt::format(", {} {}", count, outcome);
  made += fmt::format("; {} of {} comparisons read, a win counts {:.3f} in the first place, {:.3f} in the second",
                      counts_.parsed, counts_.comparisons, weights_.first, weights_.second);
  return context_.Event(counts_.judge_pairs == 0 ? "warning" : "info", round_, "judge_pairs_made", made);
}

Result<bool> JudgePairMaker::MakeSome() {
  constexpr std::chrono::milliseconds kSlice(20);
  const Deadline slice = Deadline::After(kSlice);
  if (!begun_) SRLM_RETURN_IF_ERROR(Begin());
  while (!slice.Expired()) {
    if (rows_.size() < subjects_.size()) {
      SRLM_ASSIGN_OR_RETURN(ledger::JudgePairRow row, DecideJudgePair(context_.config, context_.ledger, round_,
                                                                      subjects_[rows_.size()], weights_));
      rows_.push_back(std::move(row));
    } else if (!limited_) {
      limited_ = true;
      SRLM_ASSIGN_OR_RETURN(const ledger::RoundCounts counts, context_.ledger.Counts(round_));
      LimitShare(context_.config, counts.pairs, rows_);
    } else if (stored_ < rows_.size()) {
      SRLM_RETURN_IF_ERROR(Store(rows_[stored_++]));
    } else {
      SRLM_RETURN_IF_ERROR(Finish());
      return true;
    }
  }
  context_.turn_again();
  return false;
}

}  // namespace srlm::rounds
