// The ledger of a run: RUN/ledger.sqlite, the only truth about what was made. Every row has a key that says what it
// is, and is stored once: the first result wins.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "coordinator/ledger/rows.h"

namespace srlm::ledger {

class Database;

/// The file in a run folder.
std::string LedgerPath(const std::string& run_dir);

/// One connection, one thread. Writes gather in a transaction until Commit; reads see them before that. Every call
/// fails with ResourceExhausted (no room) or DataLoss (damaged file) and the path; after a failed write the ledger
/// refuses further ones, and the file stands as at the last commit. With WaitForRoom a write or commit for which the
/// disk has no room does not fail, but takes as long as it takes to make room.
class Ledger {
 public:
  /// Fails when the run is another's by now.
  using Fence = std::function<Status()>;
  /// Comes back with ok when a write that failed so is worth another try, and with the reason when nobody waits for it.
  using Waiter = std::function<Status(const Status& failure)>;

  /// Opens the ledger of a run folder to own it, made when missing and migrated forward when older (a copy of the
  /// older one stays beside it). The caller holds the run's owner lock, which `fence` looks at.
  static Result<std::unique_ptr<Ledger>> Open(const std::string& run_dir, Fence fence = {});
  /// Opens it to look, while no coordinator has it. Unavailable when one has; NotFound when there is none.
  static Result<std::unique_ptr<Ledger>> OpenReadOnly(const std::string& run_dir);
  ~Ledger();

  /// From now on `waiter` is called, on this thread and inside the failed call, when the disk has no room (any more).
  /// Then all writes since the last commit are made again.
  void WaitForRoom(Waiter waiter) { waiter_ = std::move(waiter); }

  /// Writes since the last commit.
  int64_t uncommitted() const { return static_cast<int64_t>(writes_.size()); }

  /// Begins a unit of writes that stay all together or not at all, whenever they are committed. Units do not nest.
  void BeginUnit() { in_unit_ = true; }
  /// Ends it: its writes stay, or (`keep` false) are taken back, except what a Commit within made durable.
  Status EndUnit(bool keep);
  /// Makes them durable (fsync). Aborted when the run was taken from this owner before or meanwhile: then nothing of it
  /// may be acknowledged.
  Status Commit();
  /// Aborted when the run was taken from this owner, after which the ledger refuses every write.
  Status CheckFence();

  // Facts about the run: run_id, name, epoch, version, duplicates, arithmetic, state, message, and input.<key> for
  // the contents of each data file.
  Result<std::string> Fact(const std::string& key) const;  // empty when it is not there
  Status SetFact(const std::string& key, const std::string& value);

  // Adds return whether the row is new; a row whose key is there stays as it is. Sets replace.
  Result<bool> AddModel(const ModelRow& row);
  Result<std::optional<ModelRow>> Model(const std::string& name) const;
  Result<std::vector<ModelRow>> Models() const;

  Status SetRound(const RoundRow& row);
  Result<std::optional<RoundRow>> Round(int round) const;
  Result<std::vector<RoundRow>> Rounds() const;

  Result<bool> AddAttempt(const AttemptRow& row);
  /// Fills in what was written; false when it was there already.
  Result<bool> SetAttemptWritten(const AttemptRow& row);
  Status SetAttemptVerdict(int round, int attempt, const std::string& state, const std::string& instruction,
                           const std::string& reason, const std::string& detail);
  Result<std::vector<AttemptRow>> Attempts(int round) const;  // in index order; 0: of all rounds
  /// The attempts of the round's last wave, in index order.
  Result<std::vector<AttemptRow>> LastWave(int round) const;

  Result<bool> AddPrompt(const PromptRow& row);
  Status SetPromptState(int round, int position, const std::string& state, const std::string& reason);
  Result<std::vector<PromptRow>> Prompts(int round) const;  // by position; round 0: of all rounds
  Result<std::optional<PromptRow>> Prompt(int round, int position) const;
  Result<std::optional<PromptRow>> PromptById(int round, const std::string& prompt_id) const;
  /// Prompts of a round after a position, in order, at most `limit`.
  Result<std::vector<PromptRow>> PromptsAfter(int round, int position, int64_t limit) const;
  /// Those of them that lack answers.
  Result<std::vector<OpenPrompt>> OpenPrompts(int round, int position, int64_t limit) const;
  /// Position of the round's next prompt.
  Result<int> NextPosition(int round) const;
  /// Ids of the given prompts of all rounds.
  Result<std::set<std::string>> GivenPromptIds() const;

  Result<bool> AddCandidate(const CandidateRow& row);
  Status SetCandidateScore(int round, int position, int sample, std::optional<double> score, const std::string& reason);
  Status SetCandidateUse(int round, int position, int sample, const std::string& use);
  Result<std::vector<CandidateRow>> Candidates(int round) const;  // by position and sample; 0: of all rounds
  Result<std::vector<CandidateRow>> CandidatesOf(int round, int position) const;
  Result<std::optional<CandidateRow>> Candidate(int round, int position, int sample) const;
  /// Keys of a round's candidates that have neither a score nor a reason, after a key, in order; at most `limit`.
  Result<std::vector<CandidateKey>> OpenCandidates(int round, const CandidateKey& after, int64_t limit) const;
  /// Mean scores of a prompt's first `samples` candidates, as far as they have one.
  Result<std::vector<double>> ScoresOf(int round, int position, int samples) const;

  Result<bool> AddVote(const VoteRow& row);
  Result<std::vector<VoteRow>> Votes(int round) const;  // by position, sample, vote; 0: of all rounds
  Result<std::vector<VoteRow>> VotesOf(int round, int position, int sample) const;

  /// Texts of a round's first votes, in order, from which no score could be read; at most `limit`.
  Result<std::vector<std::string>> UnreadVotes(int round, int64_t limit) const;

  Result<bool> AddLikelihood(const LikelihoodRow& row);
  Result<std::vector<LikelihoodRow>> LikelihoodsOf(int round, int position) const;  // by sample, model
  /// A round's candidates that are to have one under `model`: of the first `samples` of each of its first `prompts`
  /// those that were not cut, or all.
  struct LikelihoodsWanted {
    int round = 0;
    std::string model;
    int samples = 0;
    int prompts = 0;
    bool keep_cut = false;
  };
  Result<int64_t> CountLikelihoods(const LikelihoodsWanted& wanted, bool missing) const;
  /// Keys of those that have none, after a key, in order; at most `limit`.
  Result<std::vector<CandidateKey>> MissingLikelihoods(const LikelihoodsWanted& wanted, const CandidateKey& after,
                                                       int64_t limit) const;

  /// Scores of the round's votes on its model's candidates (the first `samples` of a prompt), for positions from
  /// `begin` to before `end`; by position, sample, vote.
  Result<std::vector<VoteScore>> VoteScores(int round, int samples, int begin, int end) const;
  Result<bool> AddMetaVote(const MetaVoteRow& row);
  Result<std::vector<MetaVoteRow>> MetaVotesOf(int round, int position) const;  // by sample, first, second
  Result<int64_t> CountMetaVotes(int round, bool failed) const;                 // all, or those that were set aside
  /// As UnreadVotes, of comparisons.
  Result<std::vector<std::string>> UnreadMetaVotes(int round, int64_t limit) const;
  Result<bool> AddJudgePair(const JudgePairRow& row);
  Result<std::optional<JudgePairRow>> JudgePair(int round, int position) const;
  Result<std::vector<JudgePairRow>> MadeJudgePairs(int round) const;  // the paired ones, by position
  /// What the round's comparisons give, without judge_pairs.
  Result<MetaCounts> CountMeta(int round) const;
  Status SetMetaCounts(const MetaCounts& counts);
  Result<MetaCounts> GetMetaCounts(int round) const;  // zeros when there are none

  Result<bool> AddPair(const PairRow& row);
  Result<std::vector<PairRow>> Pairs(int round) const;  // by position and pair; 0: of all rounds
  Result<std::optional<PairRow>> Pair(const PairKey& key) const;
  /// Without the rows of prompts that have none, by position and pair.
  Result<std::vector<PairRow>> MadePairs(int round) const;
  /// Keys of the pairs of all rounds before one, in order.
  Result<std::vector<PairKey>> PairsBefore(int round) const;

  Status SetCounts(const RoundCounts& counts);
  Result<RoundCounts> Counts(int round) const;  // zeros when there are none

  /// Whether this was noted.
  Result<bool> HasEvent(int round, const std::string& event, const std::string& message) const;

  /// How many attempts of a round were rejected, by reason; the most frequent first.
  Result<std::vector<std::pair<std::string, int64_t>>> Rejections(int round) const;

  Result<bool> AddEvaluationAnswer(const EvaluationAnswerRow& row);
  Result<std::vector<EvaluationAnswerRow>> EvaluationAnswers(const std::string& model) const;  // by prompt
  Result<std::optional<EvaluationAnswerRow>> EvaluationAnswer(const std::string& model, int prompt) const;
  Result<bool> AddComparison(const ComparisonRow& row);
  /// By prompt, order, vote.
  Result<std::vector<ComparisonRow>> Comparisons(const std::string& model, const std::string& other) const;
  /// Of one answer, with all others.
  Result<std::vector<ComparisonRow>> ComparisonsOf(const std::string& model, int prompt) const;
  /// The first texts of votes on a model's answers that had no verdict.
  Result<std::vector<std::string>> UnreadComparisons(const std::string& model, int64_t limit) const;
  Result<bool> AddHeldOut(const HeldOutRow& row);
  Result<std::vector<HeldOutRow>> HeldOut(const std::string& model) const;  // by answer
  Result<bool> AddEvaluationVote(const EvaluationVoteRow& row);
  Result<std::vector<EvaluationVoteRow>> EvaluationVotes(const std::string& model) const;
  /// As UnreadVotes, of a model's sampled judgements.
  Result<std::vector<std::string>> UnreadEvaluationVotes(const std::string& model, int64_t limit) const;
  /// The measured figures as JSON (docs/formats.md); nothing while they are not there.
  Status SetEvaluation(const std::string& model, const std::string& metrics_json);
  Result<std::optional<std::string>> Evaluation(const std::string& model) const;

  Status SetJob(const JobRow& row);
  Result<std::optional<JobRow>> Job(const std::string& job_id) const;
  Result<std::vector<JobRow>> Jobs() const;
  Result<std::vector<JobRow>> JobsOf(int round) const;

  Status SetLaunch(const LaunchRow& row);
  Result<std::optional<LaunchRow>> Launch(const std::string& launch_id) const;
  Result<std::vector<LaunchRow>> Launches() const;
  /// Those whose end is not noted.
  Result<std::vector<LaunchRow>> OpenLaunches() const;

  Status AddEvent(const EventRow& row);  // sequence is given by the ledger
  /// The rows after `after_sequence` in order, at most `limit`; round 0: of all rounds.
  Result<std::vector<EventRow>> Events(int round, int64_t after_sequence, int64_t limit) const;
  /// The last `limit` events of level error or warning as lines for people, oldest first.
  Result<std::vector<std::string>> LastErrors(int64_t limit) const;

  Status SetItemFault(const ItemFaultRow& row);
  Result<std::optional<ItemFaultRow>> ItemFault(const std::string& item_id) const;
  Result<std::vector<ItemFaultRow>> ItemFaults(int round) const;

  /// For the queries of this folder's other files.
  Database& database() const { return *database_; }

 private:
  explicit Ledger(std::unique_ptr<Database> database);
  using OneWrite = std::function<Status()>;
  /// Begins a transaction, and the savepoint of a unit, when none is open.
  Status Begin();
  /// Makes a write and remembers it until the commit. What it captures must live as long.
  Status Write(OneWrite write);
  /// The outcome of `step`, which came out as `status`; while the disk has no room for it: waits, makes the
  /// transaction's writes again, and then the step.
  Status UntilThereIsRoom(Status status, const OneWrite& step);
  Status WriteAgain();
  /// Remembers the first failed write: nothing is written after it.
  Status Keep(Status status);
  // write.h: an insert that keeps what is there (whether the row is new), one that replaces it, any other write.
  template <class Row>
  Result<bool> Add(const Row& row);
  template <class Row>
  Status Set(const Row& row);
  template <class... V>
  Status Update(const std::string& sql, const V&... parameters);

  std::unique_ptr<Database> database_;
  Fence fence_;
  Waiter waiter_;
  Status broken_;
  std::vector<OneWrite> writes_;  // since the last commit
  bool in_unit_ = false;
  std::optional<size_t> unit_began_;  // the writes before the savepoint, when the unit has one
};

}  // namespace srlm::ledger
