// Tokenizers and chat templates as a run's configuration wants them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/config/config.h"
#include "common/data/prompt_input.h"
#include "common/text/chat.h"
#include "common/text/choices.h"

namespace srlm::rounds {

/// Whether new prompts are written, or answers judged, by a model from outside that stays the same.
bool HasFixedWriter(const config::RunConfig& config);
bool HasFixedJudge(const config::RunConfig& config);
/// Whether two models' answers are compared by a model from outside that stays the same.
bool HasFixedEvaluationJudge(const config::RunConfig& config);

/// Of M0 and the models that the run makes: with the configuration's chat template, if it names one.
Result<std::unique_ptr<text::Chat>> LoadPolicyChat(const config::RunConfig& config, const std::string& folder);
/// Of a fixed writer or judge: with its own.
Result<std::unique_ptr<text::Chat>> LoadOutsideChat(const config::RunConfig& config, const std::string& folder);

/// What opens an expected verdict, and the tokens of its digits.
Result<text::Choices> ScoreChoices(const text::Chat& chat);
/// The same of a comparison: its opening, and the tokens of A and B.
Result<text::Choices> PairChoices(const text::Chat& chat);

/// A prompt as its model reads it.
Result<std::vector<int>> PromptTokens(const text::Chat& chat, const data::PromptInput& input);

}  // namespace srlm::rounds
