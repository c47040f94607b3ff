// Formats with a row a prompt or a pair: UltraFeedback's completions, pairs of a chosen and a rejected answer, and
// HelpSteer3's pairs with a preference.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>
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

/// What a conversation asks before its answer.
struct Question {
  std::string system;  // a message before the first turn; empty: none
  std::string prompt;
  bool first_turn = true;
};

Question QuestionOf(std::span<const Message> messages) {
  Question question;
  if (!messages.empty() && messages[0].role == "system") {
    question.system = messages[0].content;
    messages = messages.subspan(1);
  }
  if (!messages.empty()) question.prompt = messages[0].content;
  question.first_turn = messages.size() <= 1;
  return question;
}

/// An answer of a pair: a text, or the conversation that it ends, whose earlier messages are the prompt again.
struct PairAnswer {
  std::string response;
  std::vector<Message> before;
};

Result<PairAnswer> ReadPairAnswer(const Row& row, const char* key) {
  PairAnswer answer;
  if (!row.IsList(key)) {
    SRLM_ASSIGN_OR_RETURN(answer.response, row.Text(key));
    return answer;
  }
  SRLM_ASSIGN_OR_RETURN(answer.before, row.Messages(key));
  const Message last = std::move(answer.before.back());
  answer.before.pop_back();
  if (last.role != "assistant")
    return row.Error(fmt::format("'{}' ends with role '{}', wanted the assistant's answer", key, last.role));
  answer.response = last.content;
  return answer;
}

/// What a pair's row asks: its prompt, as text or messages, and the messages before its answers.
Result<Question> ReadQuestion(const Row& row, std::span<const Message> before) {
  const char* key = row.FirstOf({"prompt", "instruction"});
  std::vector<Message> asked;
  if (row.IsList(key)) {
    SRLM_ASSIGN_OR_RETURN(asked, row.Messages(key));
  }
  Question question = QuestionOf(before.empty() ? asked : before);
  if (row.IsList(key) || (!row.Has(key) && !before.empty())) return question;
  SRLM_ASSIGN_OR_RETURN(question.prompt, row.Text(key));
  return question;
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

/// Pairs by their prompts. Which of a prompt's answers is better is known when all its pairs are there.
class PairParser : public SourceParser {
 public:
  explicit PairParser(SourceBuilder& builder) : builder_(builder) {}

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

 protected:
  Status AddPair(const Row& row, const Question& question, AnswerPair pair) {
    SRLM_ASSIGN_OR_RETURN(const std::string prompt_id, PromptIdOf(row, question.prompt, question.system));
    if (!question.first_turn) {
      builder_.Leave("not_first_turn", prompt_id, "");
      return OkStatus();
    }
    SRLM_ASSIGN_OR_RETURN(const bool known, builder_.AddPrompt(row, prompt_id, question.prompt, question.system));
    if (!known) return OkStatus();
    const auto [place, is_new] = places_.emplace(prompt_id, prompts_.size());
    if (is_new) prompts_.push_back({prompt_id, {}});
    prompts_[place->second].pairs.push_back(std::move(pair));
    return OkStatus();
  }

  SourceBuilder& builder_;

 private:
  struct PromptPairs {
    std::string prompt_id;
    std::vector<AnswerPair> pairs;
  };
  std::vector<PromptPairs> prompts_;  // in the file's order
  std::unordered_map<std::string, size_t> places_;
};

class BinarizedParser : public PairParser {
 public:
  using PairParser::PairParser;
  Status Add(const Row& row) override {
    SRLM_ASSIGN_OR_RETURN(PairAnswer chosen, ReadPairAnswer(row, row.FirstOf({"chosen", "chosen_response"})));
    SRLM_ASSIGN_OR_RETURN(PairAnswer rejected, ReadPairAnswer(row, row.FirstOf({"rejected", "rejected_response"})));
    SRLM_ASSIGN_OR_RETURN(const Question question,
                          ReadQuestion(row, chosen.before.empty() ? rejected.before : chosen.before));
    SRLM_ASSIGN_OR_RETURN(const auto chosen_score,
                          row.OptionalNumber(row.FirstOf({"score_chosen", "chosen_avg_rating", "chosen-rating"})));
    SRLM_ASSIGN_OR_RETURN(
        const auto rejected_score,
        row.OptionalNumber(row.FirstOf({"score_rejected", "rejected_avg_rating", "rejected-rating"})));
    if (!chosen.before.empty() && !rejected.before.empty() && chosen.before != rejected.before) {
      SRLM_ASSIGN_OR_RETURN(const std::string prompt_id, PromptIdOf(row, question.prompt, question.system));
      builder_.Leave("different_prompts", prompt_id, "", "chosen and rejected answer different messages");
      return OkStatus();
    }
    return AddPair(
        row, question,
        {{"", std::move(chosen.response), chosen_score}, {"", std::move(rejected.response), rejected_score}});
  }
};

class HelpSteer3Parser : public PairParser {
 public:
  using PairParser::PairParser;
  Status Add(const Row& row) override {
    SRLM_ASSIGN_OR_RETURN(const std::vector<Message> context, row.Messages("context"));
    SourceAnswer first, second;
    SRLM_ASSIGN_OR_RETURN(first.response, row.Text("response1"));
    SRLM_ASSIGN_OR_RETURN(second.response, row.Text("response2"));
    SRLM_ASSIGN_OR_RETURN(const double preference, row.Number("overall_preference"));  // below 0: the first is better
    const Question question = QuestionOf(context);
    if (preference == 0) {
      SRLM_ASSIGN_OR_RETURN(const std::string prompt_id, PromptIdOf(row, question.prompt, question.system));
      builder_.Leave("no_preference", prompt_id, "");
      return OkStatus();
    }
    if (preference > 0) std::swap(first, second);
    return AddPair(row, question, {std::move(first), std::move(second)});
  }
};

}  // namespace

std::unique_ptr<SourceParser> MakeUltraFeedbackParser(SourceBuilder& builder) {
  return std::make_unique<UltraFeedbackParser>(builder);
}
std::unique_ptr<SourceParser> MakeBinarizedParser(SourceBuilder& builder) {
  return std::make_unique<BinarizedParser>(builder);
}
std::unique_ptr<SourceParser> MakeHelpSteer3Parser(SourceBuilder& builder) {
  return std::make_unique<HelpSteer3Parser>(builder);
}

}  // namespace srlm::data
