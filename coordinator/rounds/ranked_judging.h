// How well a model judges: its scores of the human-ranked answers.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>

#include "coordinator/rounds/context.h"

namespace srlm::rounds {

/// The vote of an evaluation's row that is an expected verdict.
inline constexpr int kExpectedVote = -1;

class RankedJudging {
 public:
  /// `model` ("M1") judges as itself, whoever judges in its round.
  RankedJudging(const Context& context, std::string model) : context_(context), model_(std::move(model)) {}

  /// Asks for the judgements that the ledger lacks.
  Status Begin();
  /// A result; false when it was there already.
  Result<bool> Store(const schedule::Subject& subject, const Finished& finished);
  Status SetAside(const schedule::Subject& subject, const std::string& reason);

  size_t open() const { return open_.size(); }
  uint64_t total() const { return total_; }
  uint64_t failed() const { return failed_; }

  /// The figures of the stored judgements.
  Result<nlohmann::json> Figures() const;

 private:
  const Context& context_;
  std::string model_;
  std::set<std::string> open_;  // item ids
  uint64_t total_ = 0;
  uint64_t failed_ = 0;
};

}  // namespace srlm::rounds
