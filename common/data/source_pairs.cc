// Formats with a row a prompt: UltraFeedback's completions, and pairs of a chosen and a rejected answer.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <unordered_map>
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

/// A row's two answers, with its scores where it has them.
struct AnswerPair {
  SourceAnswer chosen;
  SourceAnswer rejected;
};

/// Gives the answers of pairs without scores a quality that stands in the pairs' order: how many others are below, one
/// after another. None where the pairs go round in a circle.
void RankByPairs(std::vector<AnswerPair>& pairs) {
  std::unordered_map<std::string, double> below;  // by answer
  bool changed = true;
  for (size_t round = 0; changed && round <= pairs.size(); ++round) {  // no chain has more links than there are pairs
    changed = false;
    for (const auto& [chosen, rejected] : pairs) {
      const double least = below[rejected.response] + 1;
      double& quality = below[chosen.response];
      if (chosen.response == rejected.response || quality >= least) continue;
      quality = least;
      changed = true;
    }
  }
  for (auto& pair : pairs)
    for (SourceAnswer* answer : {&pair.chosen, &pair.rejected})
      answer->quality = changed ? std::nullopt : std::optional(below[answer->response]);
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
    const auto [place, is_new] = places_.emplace(prompt_id, prompts_.size());
    if (is_new) prompts_.push_back({prompt_id, {}});
    prompts_[place->second].pairs.push_back(
        {{"", std::move(chosen.response), chosen_score}, {"", std::move(rejected.response), rejected_score}});
    return OkStatus();
  }

  /// Which of a prompt's answers is better is known when all its pairs are.
  Status Finish() override {
    for (auto& [prompt_id, pairs] : prompts_) {
      if (!std::ranges::all_of(pairs, [](const auto& pair) { return pair.chosen.quality && pair.rejected.quality; }))
        RankByPairs(pairs);
      for (auto& [chosen, rejected] : pairs) {
        builder_.AddAnswer(prompt_id, std::move(chosen));
        builder_.AddAnswer(prompt_id, std::move(rejected));
      }
    }
    return OkStatus();
  }

 private:
  struct PromptPairs {
    std::string prompt_id;
    std::vector<AnswerPair> pairs;
  };
  SourceBuilder& builder_;
  std::vector<PromptPairs> prompts_;  // in the file's order
  std::unordered_map<std::string, size_t> places_;
};

}  // namespace

std::unique_ptr<SourceParser> MakeUltraFeedbackParser(SourceBuilder& builder) {
  return std::make_unique<UltraFeedbackParser>(builder);
}
std::unique_ptr<SourceParser> MakeBinarizedParser(SourceBuilder& builder) {
  return std::make_unique<BinarizedParser>(builder);
}

}  // namespace srlm::data
