// What new prompts must differ from, of the files that a run starts from.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/config/config.h"
#include "common/data/prompt_filters.h"
#include "coordinator/rounds/inputs.h"

namespace srlm::rounds {

/// The seeds; the given prompts, all of the file, where rounds take given ones; and the prompts that models are
/// measured on or chosen by, unless evaluation.allow_overlap. Of a conversation what its user asks first counts, and of
/// one to be measured on also all that its user says.
class KnownPrompts {
 public:
  /// All three must outlive it.
  KnownPrompts(const config::RunConfig& config, const Inputs& inputs, data::PromptFilter& filter);
  KnownPrompts(const KnownPrompts&) = delete;
  KnownPrompts& operator=(const KnownPrompts&) = delete;

  /// Puts some more of them into the filter, until `slice` has passed. Whether all are there.
  bool AddSome(const Deadline& slice);

 private:
  struct Part {
    size_t size;
    std::function<void(size_t)> add;
  };
  void NameEvaluation();
  void AddRanked(size_t row);
  /// Both what a conversation begins with and all of it: either may be asked alone elsewhere.
  void AddEvaluation(const data::PromptInput& input, const std::string& origin);

  const Inputs& inputs_;
  data::PromptFilter& filter_;
  std::vector<Part> parts_;
  size_t part_ = 0;  // the next one, and the next row of it
  size_t row_ = 0;
};

}  // namespace srlm::rounds
