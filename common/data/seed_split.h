// Which prompts teach and which measure: a function of a prompt's id and a seed, so that it is the same everywhere.
#pragma once

#include <cstdint>
#include <string>

#include "common/data/source.h"

namespace srlm::data {

/// Below it, the first byte of SHA-256(prompt_id) puts a prompt into the training part: 205 of 256, 80 %.
inline constexpr int kTrainingBytes = 205;

/// Whether a prompt is of the training part; the others are for evaluation.
bool IsTrainingPrompt(const std::string& prompt_id);

/// Whether two of a prompt's answers have different qualities.
bool IsRanked(const SourcePrompt& prompt);

/// Index of the answer of the highest quality, the first of equal ones; of a single answer always 0. -1 when several
/// answers are there and none has a quality.
int BestAnswer(const SourcePrompt& prompt);

/// A draw in [0, 1) that belongs to the seed and the prompt alone: below a share, the prompt is of that share.
double PromptDraw(uint64_t seed, const std::string& prompt_id);

}  // namespace srlm::data
