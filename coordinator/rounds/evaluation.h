// A model measured: its judging of human-ranked answers, and its own answers (docs/method.md).
#pragma once

#include <optional>
#include <string>

#include "coordinator/rounds/answer_measures.h"
#include "coordinator/rounds/ranked_judging.h"

namespace srlm::rounds {

/// Whether a run measures its models.
bool Measures(const config::RunConfig& config);

class Evaluation {
 public:
  /// Of M<number>.
  Evaluation(const Context& context, int number);

  /// Asks for what the ledger lacks.
  Status Begin();
  /// A result; false when it was there already.
  Result<bool> Store(const schedule::Subject& subject, const Finished& finished);
  Status SetAside(const schedule::Subject& subject, const std::string& reason);

  size_t open() const { return judging_.open() + answers_.open(); }
  uint64_t total() const { return judging_.total() + answers_.total(); }
  uint64_t failed() const { return judging_.failed() + answers_.failed(); }

  /// Computes the figures from the stored rows and records them.
  Status Finish();

 private:
  const Context& context_;
  std::string model_;
  RankedJudging judging_;
  AnswerMeasures answers_;
};

}  // namespace srlm::rounds
