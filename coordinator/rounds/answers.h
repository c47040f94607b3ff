// The answers of a round and their judgements: candidates of every prompt, votes on every candidate, scores.
#pragma once

#include <set>
#include <string>

#include "coordinator/rounds/context.h"

namespace srlm::rounds {

/// A candidate is judged as soon as it is stored.
class Answers {
 public:
  Answers(const Context& context, int round) : context_(context), round_(round) {}

  /// Draws the round's given prompts where that has not been done, takes up where the ledger stands, and asks for what
  /// is missing.
  Status Begin();

  /// One more prompt of the round, for which candidates are asked.
  Status AddPrompt(const std::string& prompt_id, data::PromptInput input, bool is_new);

  /// Results; false when they were there already.
  Result<bool> StoreCandidates(const std::string& prompt_id, const Finished& finished);
  Result<bool> StoreVotes(const schedule::Subject& subject, const Finished& finished);
  /// A prompt without candidates, a candidate without votes.
  Status SetAside(const schedule::Subject& subject, const std::string& reason);

  /// Ids of the items that are not finished, and how many.
  const std::set<std::string>& open_items() const { return open_; }
  size_t open() const { return open_.size(); }
  /// Items of all prompts so far: one for the candidates of a prompt, and one for the votes of each candidate.
  uint64_t total() const { return total_; }
  uint64_t failed() const { return failed_; }

 private:
  Status DrawGiven();
  Status Resume(const ledger::PromptRow& prompt);
  Status Ask(schedule::WorkItem work);
  Status AskCandidates(const ledger::PromptRow& prompt);
  bool IsDropped(const ledger::CandidateRow& candidate) const;
  /// Asks for votes on a candidate, or notes why it gets none: it was cut, or the judge's template cannot hold it.
  Status AskVotes(const ledger::PromptRow& prompt, const ledger::CandidateRow& candidate, const std::string& made_by);
  Result<ledger::PromptRow> PromptOf(const std::string& prompt_id) const;
  int VotesWanted() const;

  const Context& context_;
  int round_;
  int next_position_ = 0;
  std::set<std::string> open_;  // item ids
  uint64_t total_ = 0;
  uint64_t failed_ = 0;
};

}  // namespace srlm::rounds
