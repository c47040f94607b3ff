// What a run was trained on, to keep it out of what the run is measured on.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/config/config.h"
#include "common/data/overlap.h"
#include "common/data/records.h"

namespace srlm::measure {

/// Adds the prompts of data.ift, data.eft and data.prompts to `index`, each named by its key and row.
Status AddTrainingPrompts(const config::RunConfig& config, data::OverlapIndex& index);

/// A prompt that overlaps what was trained on.
struct Overlap {
  size_t prompt;  // which one
  data::OverlapIndex::Found found;
};

/// Those of `prompts` that are in `index`, by words (OverlapIndex).
std::vector<Overlap> FindOverlaps(const data::OverlapIndex& index, const std::vector<std::string>& prompts);

/// The files that models are measured on, or chosen by, read.
struct EvaluationData {
  const std::vector<data::RankedAnswer>& ranked;  // data.evaluation
  const std::vector<data::Prompt>& prompts;       // data.evaluation_prompts
  const std::vector<data::Prompt>& validation;    // data.validation_prompts
  const std::vector<data::JudgeItem>& held_out;   // data.held_out
};

/// InvalidArgument when one of them holds a prompt that the run would be trained on, unless evaluation.allow_overlap;
/// or when data.validation_prompts and data.evaluation_prompts share one.
Status CheckEvaluationData(const config::RunConfig& config, const EvaluationData& data);

/// Says it of the file `path` with `prompts`: how many overlap `what`, the first ones, what to do.
Status OverlapProblem(const std::string& path, const std::vector<std::string>& prompts,
                      const std::vector<Overlap>& overlaps, const std::string& what, const std::string& remedy);

}  // namespace srlm::measure
