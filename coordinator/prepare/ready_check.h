// What rows that somebody else made must be like to be passed on: as those that are made here.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "coordinator/prepare/english_check.h"
#include "coordinator/prepare/inputs.h"

namespace srlm::prepare {

/// Why a row is left out.
struct Wrong {
  const char* reason;
  std::string detail;
};

/// Looks at the rows of one file, in their order.
class ReadyCheck {
 public:
  explicit ReadyCheck(const EnglishCheck& english) : english_(english) {}

  /// not_first_turn, duplicate_prompt, not_english, answer_not_english.
  Result<std::optional<Wrong>> Ift(const ReadyRow& row);
  /// same_answer (of the same prompt), not_english, justification_not_english, score_inside. A verdict in the
  /// justification that says the row's score is cut from it.
  Result<std::optional<Wrong>> Eft(ReadyRow& row);

 private:
  std::optional<Wrong> Again(const std::string& key, const ReadyRow& row, const char* reason);

  const EnglishCheck& english_;
  std::unordered_map<std::string, std::string> places_;  // of what was seen -> file:line
};

}  // namespace srlm::prepare
