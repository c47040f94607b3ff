// The round's answers under earlier models: under the one before the round's for CREAM's labels, under M0 for the
// divergence from it.
#pragma once

#include "coordinator/rounds/context.h"

namespace srlm::rounds {

/// Which candidates of a round are to have a likelihood under which model. For CREAM those of the round's model that
/// could be in a pair; for the divergence the first answer of each of the first health.kl_prompts prompts, where CREAM
/// does not ask for M0 anyway.
std::vector<ledger::Ledger::LikelihoodsWanted> LikelihoodsWanted(const config::RunConfig& config, int round);

/// Asked for when the round's answers are all there, so that a worker changes its model once. As with the answers,
/// what is missing is in the ledger and the queue holds the next part of it.
class Likelihoods {
 public:
  Likelihoods(const Context& context, int round);

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
  /// One of LikelihoodsWanted, and how far it was asked for.
  struct Part {
    ledger::Ledger::LikelihoodsWanted wanted;
    ledger::CandidateKey asked;
    bool all_asked = false;
  };

  const Context& context_;
  int round_;
  std::vector<Part> parts_;
  int64_t total_ = 0;
  int64_t missing_ = 0;
  int64_t failed_ = 0;  // of this process
  bool begun_ = false;
};

}  // namespace srlm::rounds
