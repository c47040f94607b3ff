// A model's answers to given prompts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/data/answer_figures.h"
#include "common/data/records.h"
#include "coordinator/measure/file_worker.h"

namespace srlm::measure {

struct Sampling {
  double temperature = 0.7;
  double top_p = 0.9;
  int max_new_tokens = 512;
  uint64_t seed = 1;
};

using data::Answer;

/// One answer a prompt, in their order. The draws are named by the seed and the prompt's id, so that two models draw
/// the same numbers.
Result<std::vector<Answer>> AnswerPrompts(FileWorker& worker, const NamedModel& model,
                                          const std::vector<data::Prompt>& prompts, const Sampling& sampling);

Json ToJson(const Sampling& sampling);

}  // namespace srlm::measure
