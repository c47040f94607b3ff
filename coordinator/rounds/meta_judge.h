// The round's model compares its own judgements.
#pragma once

#include <string>
#include <vector>

#include "coordinator/rounds/context.h"
#include "coordinator/rounds/meta_subjects.h"

namespace srlm::rounds {

/// Begins when every vote of the round is there. Which judgements are compared follows from the votes, and what is
/// missing from the ledger; the queue holds the next part of it.
class MetaJudge {
 public:
  MetaJudge(const Context& context, int round) : context_(context), round_(round) {}

  /// Finds what is to be compared, for about 20 ms a turn, then keeps the queue long enough; whether all is there.
  Result<bool> Advance();
  /// Asks for an item that the queue does not hold, when it is missing; whether it was.
  Result<bool> Recall(const std::string& item_id);
  /// A result; false when it was there already.
  Result<bool> Store(const schedule::Subject& subject, const Finished& finished);
  Status SetAside(const schedule::Subject& subject, const std::string& reason);

  /// One a prompt, by position; whole when Advance has said that all is there.
  const std::vector<MetaSubject>& subjects() const { return subjects_; }
  int64_t total() const { return total_; }
  int64_t missing() const { return missing_; }
  int64_t failed() const { return failed_; }

 private:
  Result<bool> FindSubjects();
  Status Ask(const MetaSubject& subject);

  const Context& context_;
  int round_;
  std::vector<MetaSubject> subjects_;
  bool known_ = false;  // all subjects
  size_t asked_ = 0;    // subjects
  int64_t total_ = 0;
  int64_t missing_ = 0;
  int64_t failed_ = 0;
};

}  // namespace srlm::rounds
