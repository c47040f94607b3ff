#include "coordinator/rounds/chats.h"

#include "common/data/expected_score.h"
#include "common/data/judge_template.h"
#include "common/data/pairwise_template.h"
#include "common/data/pairwise_verdict.h"

namespace srlm::rounds {
namespace {

Result<std::unique_ptr<text::Chat>> Load(const config::RunConfig& config, const std::string& folder,
                                         const std::string& chat_template) {
  const bool parse = config.special_tokens_in_text == config::SpecialTokensInText::kParse;
  return text::Chat::Load(folder, chat_template,
                          parse ? text::SpecialTokensInText::kParse : text::SpecialTokensInText::kText);
}

}  // namespace

bool HasFixedWriter(const config::RunConfig& config) {
  return config.prompts.writer != "policy" && config.prompts.writer != "base";
}

bool HasFixedJudge(const config::RunConfig& config) { return config.judge.model != "policy"; }

bool HasFixedEvaluationJudge(const config::RunConfig& config) { return config.evaluation.judge != "policy"; }

Result<std::unique_ptr<text::Chat>> LoadPolicyChat(const config::RunConfig& config, const std::string& folder) {
  return Load(config, folder, config.chat_template);
}

Result<std::unique_ptr<text::Chat>> LoadOutsideChat(const config::RunConfig& config, const std::string& folder) {
  return Load(config, folder, "");
}

Result<text::Choices> ScoreChoices(const text::Chat& chat) {
  return text::FindChoices(chat.tokenizer(), data::kScorePrefix, data::ScoreDigits());
}

Result<text::Choices> PairChoices(const text::Chat& chat) {
  return text::FindChoices(chat.tokenizer(), data::kVerdictPrefix, data::PairLetters());
}

Result<std::vector<int>> PromptTokens(const text::Chat& chat, const data::PromptInput& input) {
  return input.raw ? chat.RawTokens(input.raw_text) : chat.PromptTokens(input.messages);
}

}  // namespace srlm::rounds
