// Sorts prompts into IFT, lessons in judging, and evaluation, so that no prompt is in two of them.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "common/data/lesson_choice.h"
#include "coordinator/prepare/inputs.h"
#include "coordinator/prepare/language_of.h"

namespace srlm::prepare {

struct Selection {
  std::vector<nlohmann::ordered_json> ift;  // SFT rows
  std::vector<nlohmann::ordered_json> eft;  // ready-made EFT rows
  data::ScoreHistogram scores_before{};     // of these, before and after balancing
  data::ScoreHistogram scores_after{};
  std::vector<data::SourcePrompt> lessons;     // ranked prompts that EFT is to be made from
  std::vector<data::SourcePrompt> evaluation;  // ranked prompts that are only measured on
  std::vector<data::Reject> rejects;
};

/// 1. Prompts that are there already (but for case and punctuation) or not English leave.
/// 2. data::IsTrainingPrompt parts them; the evaluation part keeps its ranked prompts.
/// 3. Ready-made rows leave that ReadyCheck finds wrong (unless options keep them), that overlap with evaluation, or,
/// of
///    EFT, with ready-made IFT. data::BalanceScores cuts EFT's.
/// 4. Training prompts that overlap with evaluation leave. Of the ranked ones a share becomes lessons; of the others
/// the
///    best answer becomes a row of IFT. Ready-made rows of a kind take all places of that kind, and their prompts are
///    kept out of the other one. A prompt with a system message is for IFT alone: rows of the others have no place for
///    it.
/// 5. Lessons that overlap with IFT leave, and those that are too many: the ones with the highest draws.
Result<Selection> Select(const Options& options, Inputs inputs, const LanguageOf& language_of);

}  // namespace srlm::prepare
