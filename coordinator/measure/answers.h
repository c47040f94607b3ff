// A model's answers to given prompts, and what can be said of them without a judge.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/data/records.h"
#include "coordinator/measure/file_worker.h"

namespace srlm::measure {

struct Sampling {
  double temperature = 0.7;
  double top_p = 0.9;
  int max_new_tokens = 512;
  uint64_t seed = 1;
};

struct Answer {
  std::string prompt_id;
  std::string text;
  int64_t tokens = 0;
  bool cut = false;   // ended at max_new_tokens
  std::string error;  // why there is none
};

/// One answer a prompt, in their order. The draws are named by the seed and the prompt's id, so that two models draw
/// the same numbers.
Result<std::vector<Answer>> AnswerPrompts(FileWorker& worker, const NamedModel& model,
                                          const std::vector<data::Prompt>& prompts, const Sampling& sampling);

/// {"answers", "failed", "cut", "characters", "tokens", "distinct_1", "distinct_2"}: how many there are and are not,
/// the share that was cut, means with intervals clustered by prompt.
Json DescribeAnswers(const std::vector<Answer>& answers, uint64_t seed);

Json ToJson(const Sampling& sampling);

}  // namespace srlm::measure
