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

/// InvalidArgument when data.evaluation, data.evaluation_prompts or data.held_out holds a prompt that the run would be
/// trained on, unless evaluation.allow_overlap; the three are those files, read.
Status CheckEvaluationData(const config::RunConfig& config, const std::vector<data::RankedAnswer>& ranked,
                           const std::vector<data::Prompt>& prompts, const std::vector<data::JudgeItem>& held_out);

/// Says it of the file `path` with `prompts`: how many, the first ones, what to do.
Status OverlapProblem(const std::string& path, const std::vector<std::string>& prompts,
                      const std::vector<Overlap>& overlaps, const std::string& remedy);

}  // namespace srlm::measure
