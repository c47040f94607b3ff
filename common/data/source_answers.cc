// Formats with a row an answer: this project's ranked answers, and HelpSteer's.
#include <fmt/format.h>

#include <map>
#include <memory>
#include <utility>

#include "common/data/source_builder.h"

namespace srlm::data {
namespace {

class RankedParser : public SourceParser {
 public:
  explicit RankedParser(SourceBuilder& builder) : builder_(builder) {}
  Status Add(const Row& row) override {
    SRLM_ASSIGN_OR_RETURN(const std::string prompt, row.Text(row.FirstOf({"prompt_text", "prompt"})));
    SRLM_ASSIGN_OR_RETURN(const std::string prompt_id, row.Id("prompt_id"));
    SourceAnswer answer;
    if (row.Has("response_id")) {
      SRLM_ASSIGN_OR_RETURN(answer.response_id, row.Id("response_id"));
      const auto [first, is_new] = places_.emplace(std::pair(prompt_id, answer.response_id), row.Where());
      if (!is_new)
        return row.Error(
            fmt::format("response '{}' of prompt '{}' is in {} too; ids of one prompt's answers must differ",
                        answer.response_id, prompt_id, first->second));
    }
    SRLM_ASSIGN_OR_RETURN(answer.response, row.Text(row.FirstOf({"response_text", "response"})));
    SRLM_ASSIGN_OR_RETURN(answer.quality, row.OptionalNumber(row.FirstOf({"quality_score", "score"})));
    SRLM_ASSIGN_OR_RETURN(const bool known, builder_.AddPrompt(row, prompt_id, prompt));
    if (known) builder_.AddAnswer(prompt_id, std::move(answer));
    return OkStatus();
  }

 private:
  SourceBuilder& builder_;
  std::map<std::pair<std::string, std::string>, std::string> places_;  // ids of prompt and response -> file:line
};

class HelpSteerParser : public SourceParser {
 public:
  explicit HelpSteerParser(SourceBuilder& builder) : builder_(builder) {}
  Status Add(const Row& row) override {
    SRLM_ASSIGN_OR_RETURN(const std::string prompt, row.Text("prompt"));
    SRLM_ASSIGN_OR_RETURN(const std::string prompt_id, PromptIdOf(row, prompt));
    SourceAnswer answer;
    SRLM_ASSIGN_OR_RETURN(answer.response, row.Text("response"));
    SRLM_ASSIGN_OR_RETURN(answer.quality, row.OptionalNumber("helpfulness"));
    if (prompt.find("<extra_id_1>") != std::string::npos) {  // between the turns of a conversation
      builder_.Leave("not_first_turn", prompt_id, "");
      return OkStatus();
    }
    SRLM_ASSIGN_OR_RETURN(const bool known, builder_.AddPrompt(row, prompt_id, prompt));
    if (known) builder_.AddAnswer(prompt_id, std::move(answer));
    return OkStatus();
  }

 private:
  SourceBuilder& builder_;
};

}  // namespace

std::unique_ptr<SourceParser> MakeRankedParser(SourceBuilder& builder) {
  return std::make_unique<RankedParser>(builder);
}
std::unique_ptr<SourceParser> MakeHelpSteerParser(SourceBuilder& builder) {
  return std::make_unique<HelpSteerParser>(builder);
}

}  // namespace srlm::data
