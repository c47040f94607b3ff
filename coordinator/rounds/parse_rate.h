// Whether a judge can be read often enough to go on with its votes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "coordinator/rounds/context.h"

namespace srlm::rounds {

/// How often a judge's votes had a score.
struct ParseRate {
  std::string what;  // whose votes: "round 1"
  double rate = 1;
  int64_t votes = 0;
  std::vector<std::string> unread;  // the first kUnreadShown texts that had none
  std::string_view remedy;          // what else would help: "..., in a new run"
};

inline constexpr int64_t kUnreadShown = 5;

/// Why the run must pause: fewer than judge.min_parse_rate could be read, with those that could not. Empty: go on.
std::string ParseRateProblem(const Context& context, const ParseRate& parsed);
/// The same of the model's comparisons of judgements.
std::string MetaRateProblem(const Context& context, const ParseRate& parsed);
/// The same of a program that judges and gave no score too often.
std::string ProgramRateProblem(const Context& context, int round, double rate, int64_t votes);

}  // namespace srlm::rounds
