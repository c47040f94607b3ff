// What can be said of a model's answers without a judge.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

namespace srlm::data {

struct Answer {
  std::string prompt_id;
  std::string text;
  int64_t tokens = 0;
  bool cut = false;   // ended at max_new_tokens
  std::string error;  // why there is none
};

/// {"answers", "failed", "cut", "characters", "tokens", "distinct_1", "distinct_2", "distinct_3"}: how many there are
/// and are not, the share that was cut, means with intervals clustered by prompt; distinct-n is null when no answer has
/// n words.
nlohmann::json DescribeAnswers(std::span<const Answer> answers, uint64_t seed);

}  // namespace srlm::data
