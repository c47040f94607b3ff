// The answers of a round and their judgements: candidates of every prompt, votes on every candidate, scores.
#pragma once

#include <map>
#include <string>

#include "coordinator/rounds/context.h"

namespace srlm::rounds {

/// Votes of a candidate that is judged: one expected verdict or score of a program, or the votes of the model.
int VotesWanted(const config::RunConfig& config);
/// Whether a candidate gets no votes because it was cut.
bool IsDropped(const config::RunConfig& config, const ledger::CandidateRow& candidate);
/// The anchor's model: "M0" or "M1".
std::string AnchorName(const config::RunConfig& config);
/// The anchor's answers to each prompt: 0 unless the rule wants them.
int AnchorSamples(const config::RunConfig& config);
/// Whether a candidate is the anchor's.
bool IsAnchor(const config::RunConfig& config, int sample);
/// Adds a candidate without its votes to its round's counts.
void CountCandidate(const config::RunConfig& config, const ledger::CandidateRow& candidate,
                    ledger::RoundCounts& counts);
/// Whether a candidate's votes were set aside.
bool IsNotJudged(const ledger::CandidateRow& candidate);

/// A candidate is judged as soon as it is stored. What is still to be done is in the ledger; the queue holds the next
/// part of it, which Refill keeps long enough, so that a round of any size begins and goes on at once.
class Answers {
 public:
  Answers(const Context& context, int round) : context_(context), round_(round) {}

  /// Takes up where the ledger stands.
  Status Begin();
  /// Draws some more of the round's given prompts, in the order of their file; whether all are there. Not much longer
  /// than kSlice. Before that nothing is asked, and no other prompt may be added.
  Result<bool> DrawGiven();
  /// Asks for more, when the queue runs low.
  Status Refill();

  /// One more prompt of the round.
  Status AddPrompt(const std::string& prompt_id, data::PromptInput input, bool is_new);

  /// Asks for an item that the queue does not hold, when it is one of the round that is not done; whether it was.
  Result<bool> Recall(const std::string& item_id);

  /// Results; false when they were there already. Candidates are the round's model's or the anchor's.
  Result<bool> StoreCandidates(const schedule::Subject& subject, const Finished& finished);
  Result<bool> StoreVotes(const schedule::Subject& subject, const Finished& finished);
  /// The vote that a program gives, unless the candidate has it.
  Status StoreProgramVote(const ledger::CandidateKey& key, std::optional<double> score);
  /// A prompt without candidates, a candidate without votes.
  Status SetAside(const schedule::Subject& subject, const std::string& reason);

  /// Whether every prompt has what it can have; then a program may judge.
  bool answered() const { return drawn_ && counts_.prompts == counts_.answered + counts_.failed_prompts; }
  /// Whether every prompt and every candidate has what it can have.
  bool finished() const { return drawn_ && counts_.open() == 0; }
  const ledger::RoundCounts& counts() const { return counts_; }

 private:
  Status SetAsidePrompt(const schedule::Subject& subject, const std::string& reason);
  Status Ask(schedule::WorkItem work);
  Status ReadVote(const schedule::Subject& subject, const Finished& finished, ledger::VoteRow& row) const;
  Status StoreJudgement(const ledger::CandidateRow& candidate, const std::vector<ledger::VoteRow>& votes,
                        const std::string& unscored);

  const Context& context_;
  int round_;
  ledger::RoundCounts counts_;
  int next_position_ = 0;
  bool drawn_ = false;                         // all given prompts
  size_t given_index_ = 0;                     // of the next one to look at
  std::optional<std::set<std::string>> used_;  // given prompts of all rounds, while they are drawn
  std::map<std::string, int> tries_;           // by item id, of an earlier coordinator
  // How far the queue has been filled; what comes later in the order of keys is not asked for yet.
  int asked_prompts_ = -1;
  bool all_prompts_asked_ = false;
  ledger::CandidateKey asked_candidates_;
  bool all_candidates_asked_ = false;
};

}  // namespace srlm::rounds
