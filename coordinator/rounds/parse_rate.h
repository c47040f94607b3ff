// Whether a judge can be read often enough to go on with its votes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "coordinator/rounds/context.h"

namespace srlm::rounds {

/// How often a judge's votes had a score, or another verdict.
struct ParseRate {
  std::string what;  // whose votes: "round 1"
  double rate = 1;
  int64_t votes = 0;
  std::vector<std::string> unread;                           // the first kUnreadShown texts that had none
  std::string remedy;                                        // what would help, as a sentence: "Do this in a new run"
  std::string_view counted = "sampled votes could be read";  // what was counted, of so many
};

inline constexpr int64_t kUnreadShown = 5;

/// Why the run must pause: fewer than judge.min_parse_rate could be read, with those that could not. Empty: go on.
std::string ParseRateProblem(const Context& context, const ParseRate& parsed);

}  // namespace srlm::rounds
