#include "coordinator/rounds/known_prompts.h"

#include <fmt/format.h>

#include <utility>

namespace srlm::rounds {

KnownPrompts::KnownPrompts(const config::RunConfig& config, const Inputs& inputs, data::PromptFilter& filter)
    : inputs_(inputs), filter_(filter) {
  parts_.push_back({inputs.seeds.size(), [this](size_t i) { filter_.Add(inputs_.seeds[i]); }});
  if (config.prompts.new_per_round < config.prompts.per_round)
    parts_.push_back(
        {inputs.given.size(), [this](size_t i) { filter_.Add(data::FirstInstruction(inputs_.given[i].input)); }});
  if (!config.evaluation.allow_overlap) NameEvaluation();
}

void KnownPrompts::NameEvaluation() {
  parts_.push_back({inputs_.ranked.size(), [this](size_t i) { AddRanked(i); }});
  for (const auto& [key, prompts] : {std::pair("data.evaluation_prompts", &inputs_.evaluation_prompts),
                                     {"data.validation_prompts", &inputs_.validation_prompts}})
    parts_.push_back({prompts->size(), [this, key = key, prompts = prompts](size_t i) {
                        const data::Prompt& row = (*prompts)[i];
                        AddEvaluation(row.input, fmt::format("{}, prompt '{}'", key, row.prompt_id));
                      }});
  parts_.push_back({inputs_.held_out.size(), [this](size_t i) {
                      const data::JudgeItem& row = inputs_.held_out[i];
                      AddEvaluation(row.prompt, fmt::format("data.held_out, answer '{}'", row.id));
                    }});
}

void KnownPrompts::AddRanked(size_t row) {
  const data::RankedAnswer& answer = inputs_.ranked[row];
  if (row > 0 && inputs_.ranked[row - 1].prompt == answer.prompt) return;  // another answer to the same
  filter_.AddEvaluation(answer.prompt, fmt::format("data.evaluation, prompt '{}'", answer.prompt_id));
}

void KnownPrompts::AddEvaluation(const data::PromptInput& input, const std::string& origin) {
  const std::string first = data::FirstInstruction(input), all = data::UserText(input);
  filter_.AddEvaluation(first, origin);
  if (all != first) filter_.AddEvaluation(all, origin);
}

bool KnownPrompts::AddSome(const Deadline& slice) {
  for (; part_ < parts_.size(); ++part_, row_ = 0) {
    for (; row_ < parts_[part_].size; ++row_) {
      if (slice.Expired()) return false;
      parts_[part_].add(row_);
    }
  }
  return true;
}

}  // namespace srlm::rounds
