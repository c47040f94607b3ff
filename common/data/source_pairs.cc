// Formats with a row a prompt: UltraFeedback's completions, and pairs of a chosen and a rejected answer.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "common/data/source_builder.h"

namespace srlm::data {
namespace {

class UltraFeedbackParser : public SourceParser {
 public:
  explicit UltraFeedbackParser(SourceBuilder& builder) : builder_(builder) {}
  Status Add(const Row& row) override {
    SRLM_ASSIGN_OR_RETURN(const std::string prompt, row.Text(row.FirstOf({"instruction", "prompt"})));
    SRLM_ASSIGN_OR_RETURN(const std::string prompt_id, PromptIdOf(row, prompt));
    SRLM_ASSIGN_OR_RETURN(const auto completions, row.Objects("completions"));
    SRLM_ASSIGN_OR_RETURN(const bool known, builder_.AddPrompt(row, prompt_id, prompt));
    for (const Row& completion : completions) {
      SourceAnswer answer;
      SRLM_ASSIGN_OR_RETURN(answer.response, completion.Text("response"));
      SRLM_ASSIGN_OR_RETURN(answer.quality, completion.OptionalNumber("overall_score"));
      if (known) builder_.AddAnswer(prompt_id, std::move(answer));
    }
    return OkStatus();
  }

 private:
  SourceBuilder& builder_;
};

/// An answer of a pair: a text, or the conversation that it ends, whose earlier messages are the prompt again.
struct PairAnswer {
  std::string response;
  bool first_turn = true;
};

Result<PairAnswer> ReadPairAnswer(const Row& row, const char* key) {
  PairAnswer answer;
  if (!row.IsList(key)) {
    SRLM_ASSIGN_OR_RETURN(answer.response, row.Text(key));
    return answer;
  }
  SRLM_ASSIGN_OR_RETURN(const std::vector<Message> messages, row.Messages(key));
  if (messages.back().role != "assistant")
    return row.Error(fmt::format("'{}' ends with role '{}', wanted the assistant's answer", key, messages.back().role));
  answer.response = messages.back().content;
  answer.first_turn = messages.size() <= 2;
  return answer;
}

class BinarizedParser : public SourceParser {
 public:
  explicit BinarizedParser(SourceBuilder& builder) : builder_(builder) {}
  Status Add(const Row& row) override {
    SRLM_ASSIGN_OR_RETURN(const std::string prompt, row.Text("prompt"));
    SRLM_ASSIGN_OR_RETURN(const std::string prompt_id, PromptIdOf(row, prompt));
    SRLM_ASSIGN_OR_RETURN(PairAnswer chosen, ReadPairAnswer(row, "chosen"));
    SRLM_ASSIGN_OR_RETURN(PairAnswer rejected, ReadPairAnswer(row, "rejected"));
    SRLM_ASSIGN_OR_RETURN(const auto chosen_score, row.OptionalNumber("score_chosen"));
    SRLM_ASSIGN_OR_RETURN(const auto rejected_score, row.OptionalNumber("score_rejected"));
    if (!chosen.first_turn || !rejected.first_turn) {
      builder_.Leave("not_first_turn", prompt_id, "");
      return OkStatus();
    }
    SRLM_ASSIGN_OR_RETURN(const bool known, builder_.AddPrompt(row, prompt_id, prompt));
    if (!known) return OkStatus();
    // Without scores the pair still says which is better.
    const bool scored = chosen_score && rejected_score;
    builder_.AddAnswer(prompt_id, {"", std::move(chosen.response), scored ? chosen_score : 1});
    builder_.AddAnswer(prompt_id, {"", std::move(rejected.response), scored ? rejected_score : 0});
    return OkStatus();
  }

 private:
  SourceBuilder& builder_;
};

}  // namespace

std::unique_ptr<SourceParser> MakeUltraFeedbackParser(SourceBuilder& builder) {
  return std::make_unique<UltraFeedbackParser>(builder);
}
std::unique_ptr<SourceParser> MakeBinarizedParser(SourceBuilder& builder) {
  return std::make_unique<BinarizedParser>(builder);
}

}  // namespace srlm::data
