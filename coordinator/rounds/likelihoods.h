// The round's answers under the model before the round's: what CREAM's labels need besides what sampling recorded.
#pragma once

#include "coordinator/rounds/context.h"

namespace srlm::rounds {

/// Which candidates of a round are to have a likelihood: those of the round's model that could be in a pair.
ledger::Ledger::LikelihoodsWanted LikelihoodsWanted(const config::RunConfig& config, int round);

/// Asked for when the round's answers are all there, so that a worker changes its model once. As with the answers,
/// what is missing is in the ledger and the queue holds the next part of it.
class Likelihoods {
 public:
  Likelihoods(const Context& context, int round) : context_(context), round_(round) {}

  /// Takes up where the ledger stands. Results of a worker that knew an earlier coordinator may come before.
  Status Begin();
  bool begun() const { return begun_; }
  /// Asks for more, when the queue runs low.
  Status Refill();
  /// Asks for an item that the queue does not hold, when it is missing; whether it was.
  Result<bool> Recall(const std::string& item_id);
  /// A result; false when it was there already.
  Result<bool> Store(const schedule::Subject& subject, const Finished& finished);
  Status SetAside(const schedule::Subject& subject, const std::string& reason);

  bool finished() const { return begun_ && missing_ == 0; }
  int64_t total() const { return total_; }
  int64_t missing() const { return missing_; }
  int64_t failed() const { return failed_; }

 private:
  const Context& context_;
  int round_;
  int64_t total_ = 0;
  int64_t missing_ = 0;
  int64_t failed_ = 0;  // of this process
  ledger::CandidateKey asked_;
  bool begun_ = false;
  bool all_asked_ = false;
};

}  // namespace srlm::rounds
