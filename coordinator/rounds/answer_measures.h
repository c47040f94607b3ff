// What a model answers to the evaluation prompts, who wins against the model before, and how probable it finds people's
// held-out answers.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "common/data/head_to_head.h"
#include "common/data/pairwise_verdict.h"
#include "coordinator/rounds/context.h"

namespace srlm::rounds {

/// What a comparison's rows of one order say together.
data::OrderVerdict OrderOf(const std::vector<ledger::ComparisonRow>& votes);

/// Who wins, `model` against `other`, by the ledger's comparisons; draws of the intervals are named by `seed`.
Result<data::HeadToHead> HeadToHeadOf(const ledger::Ledger& ledger, const std::string& model, const std::string& other,
                                      uint64_t seed);
/// The share of the sampled votes of these comparisons that have a verdict.
Result<data::Figure> ComparisonParseRate(const ledger::Ledger& ledger, const std::string& model,
                                         const std::string& other, uint64_t seed);

class AnswerMeasures {
 public:
  /// Of M<number>, and of M0 with M1: each model has one before it.
  AnswerMeasures(const Context& context, int number);
  /// Of two models that a job saved on its way: their answers, and whether `model`'s are better than `other`'s.
  AnswerMeasures(const Context& context, std::string model, std::string other);

  /// Asks for what the ledger lacks.
  Status Begin();
  /// A result; false when it was there already.
  Result<bool> Store(const schedule::Subject& subject, const Finished& finished);
  Status SetAside(const schedule::Subject& subject, const std::string& reason);

  /// Comparisons wait until both answers are there, and are open before that.
  size_t open() const { return open_.size() + 2 * unasked_.size(); }
  uint64_t total() const { return total_; }
  uint64_t failed() const { return failed_; }

  /// By model: {"answers_given", "held_out"} and, of M<number>, {"against", "head_to_head", "comparison_parse_rate"},
  /// as far as they are configured, from the stored rows.
  Result<std::map<std::string, nlohmann::json>> Figures() const;

 private:
  enum class Answered { kNo, kYes, kFailed };
  Status Ask(schedule::WorkItem work);
  Status BeginAnswers(const std::string& model);
  Status BeginHeldOut(const std::string& model);
  Status BeginComparisons();
  /// Asks for a prompt's comparisons when both answers are there; without one of them there are none.
  Status Compare(int prompt);
  Result<bool> StoreComparison(const schedule::Subject& subject, const Finished& finished);

  const Context& context_;
  std::string model_;
  std::string other_;
  std::vector<std::string> measured_;  // model_, with M0 before M1
  std::map<std::string, std::vector<Answered>> answered_;
  std::set<std::pair<int, bool>> compared_;  // prompt, backward: in the ledger
  std::set<std::string> open_;               // item ids
  std::set<int> unasked_;                    // prompts whose comparisons are not asked for
  uint64_t total_ = 0;
  uint64_t failed_ = 0;
};

}  // namespace srlm::rounds
