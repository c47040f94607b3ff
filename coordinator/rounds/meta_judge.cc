#include "coordinator/rounds/meta_judge.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "common/data/pairwise_verdict.h"
#include "common/data/verdict.h"
#include "coordinator/rounds/items.h"

namespace srlm::rounds {
namespace {

constexpr size_t kLeastWaiting = 4096;  // the queue is filled up when fewer wait
constexpr int kPositionsAtOnce = 64;
constexpr std::chrono::milliseconds kSlice(20);

}  // namespace

Result<bool> MetaJudge::FindSubjects() {
  SRLM_ASSIGN_OR_RETURN(const int positions, context_.ledger.NextPosition(round_));
  const Deadline slice = Deadline::After(kSlice);
  for (auto begin = static_cast<int>(subjects_.size()); begin < positions; begin += kPositionsAtOnce) {
    if (slice.Expired()) {
      context_.turn_again();
      return false;
    }
    SRLM_RETURN_IF_ERROR(AddMetaSubjects(context_.config, context_.ledger, round_, begin,
                                         std::min(begin + kPositionsAtOnce, positions), subjects_));
  }
  MarkCompared(context_.config, subjects_);
  for (const MetaSubject& subject : subjects_) total_ += subject.comparisons();
  SRLM_ASSIGN_OR_RETURN(const int64_t there, context_.ledger.CountMetaVotes(round_, false));
  SRLM_ASSIGN_OR_RETURN(failed_, context_.ledger.CountMetaVotes(round_, true));
  missing_ = total_ - there;
  return true;
}

Result<bool> MetaJudge::Advance() {
  if (!known_) {
    SRLM_ASSIGN_OR_RETURN(known_, FindSubjects());
    if (!known_) return false;
  }
  for (; asked_ < subjects_.size() && context_.queue.waiting() < kLeastWaiting; ++asked_)
    if (subjects_[asked_].compared) SRLM_RETURN_IF_ERROR(Ask(subjects_[asked_]));
  return missing_ == 0;
}

Status MetaJudge::Ask(const MetaSubject& subject) {
  SRLM_ASSIGN_OR_RETURN(const auto prompt, context_.ledger.Prompt(round_, subject.position));
  SRLM_ASSIGN_OR_RETURN(const auto votes, context_.ledger.VotesOf(round_, subject.position, subject.sample));
  SRLM_ASSIGN_OR_RETURN(const auto rows, context_.ledger.MetaVotesOf(round_, subject.position));
  std::set<std::pair<int, int>> there;
  for (const ledger::MetaVoteRow& row : rows) there.emplace(row.first, row.second);
  for (const ledger::VoteRow& first : votes) {
    for (const ledger::VoteRow& second : votes) {
      if (first.vote == second.vote || !first.score || !second.score || there.contains({first.vote, second.vote}))
        continue;
      SRLM_RETURN_IF_ERROR(context_.Enqueue(MetaVoteStub(
          context_, round_, {subject.position, subject.sample, prompt->prompt_id}, first.vote, second.vote)));
    }
  }
  return OkStatus();
}

Result<bool> MetaJudge::Recall(const std::string& item_id) {
  const auto name = ParseAnswerItem(item_id);
  if (!known_ || !name || name->round != round_ || name->purpose != v1::PURPOSE_META_VOTE) return false;
  SRLM_ASSIGN_OR_RETURN(const auto prompt, context_.ledger.PromptById(round_, name->prompt_id));
  if (!prompt) return false;
  const MetaSubject& subject = subjects_[static_cast<size_t>(prompt->position)];
  if (!subject.compared || subject.sample != name->sample || name->first == name->second) return false;
  SRLM_ASSIGN_OR_RETURN(const auto rows, context_.ledger.MetaVotesOf(round_, subject.position));
  const auto same = [&](const auto& row) { return row.first == name->first && row.second == name->second; };
  SRLM_ASSIGN_OR_RETURN(const auto votes, context_.ledger.VotesOf(round_, subject.position, subject.sample));
  const auto judged = [&](int vote) {
    return vote >= 0 && vote < static_cast<int>(votes.size()) && votes[static_cast<size_t>(vote)].score;
  };
  if (std::ranges::any_of(rows, same) || !judged(name->first) || !judged(name->second)) return false;
  SRLM_RETURN_IF_ERROR(context_.Enqueue(MetaVoteStub(
      context_, round_, {subject.position, subject.sample, prompt->prompt_id}, name->first, name->second)));
  return true;
}

Result<bool> MetaJudge::Store(const schedule::Subject& subject, const Finished& finished) {
  const v1::ItemResult& result = finished.result;
  ledger::MetaVoteRow row{.round = round_, .position = subject.position, .sample = subject.index};
  row.first = subject.first;
  row.second = subject.second;
  row.model_id = result.model_id();
  row.subject_hash = result.subject_hash();
  data::OrderVerdict verdict;
  if (subject.expected) {
    const auto& logprobs = result.choice_logprobs();
    verdict = data::VerdictOfLogprobs({logprobs.data(), static_cast<size_t>(logprobs.size())});
  } else {
    const v1::SampleOutput& output = result.samples(0);
    row.token_ids.assign(output.token_ids().begin(), output.token_ids().end());
    row.text = finished.texts[0];
    row.logprob = output.logprob();
    const auto read = data::ParsePairVerdict(row.text);
    verdict = data::VerdictOfVotes({&read, 1});
  }
  row.state = data::VerdictStateName(verdict.verdict ? data::VerdictState::kParsed : data::VerdictState::kAbsent);
  if (verdict.verdict) row.verdict = data::PairVerdictName(*verdict.verdict);
  row.prefers_first = verdict.prefers_first;
  SRLM_ASSIGN_OR_RETURN(const bool is_new, context_.ledger.AddMetaVote(row));
  missing_ -= is_new;
  return is_new;
}

Status MetaJudge::SetAside(const schedule::Subject& subject, const std::string& reason) {
  ledger::MetaVoteRow row{.round = round_, .position = subject.position, .sample = subject.index};
  row.first = subject.first;
  row.second = subject.second;
  row.state = "failed";
  row.text = reason;
  SRLM_ASSIGN_OR_RETURN(const bool is_new, context_.ledger.AddMetaVote(row));
  missing_ -= is_new;
  failed_ += is_new;
  return OkStatus();
}

}  // namespace srlm::rounds
