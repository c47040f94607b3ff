#include "coordinator/prepare/english_check.h"

#include "common/data/word_parts.h"

namespace srlm::prepare {
namespace {

constexpr size_t kWordsToTell = 3;    // a text of fewer words tells nothing; a prompt is then told by its answer
constexpr size_t kWordsOfAnswer = 8;  // an answer of fewer is taken for the prompt's language

}  // namespace

using Other = std::optional<std::string>;

EnglishCheck::Told EnglishCheck::Text(std::string_view text) const {
  if (any_language_) return Other();
  SRLM_ASSIGN_OR_RETURN(const std::string code, language_of_(text));
  if (code == "en") return Other();
  return Other(code.empty() ? "no language can be told" : "is " + code);
}

EnglishCheck::Told EnglishCheck::Prompt(std::string_view prompt, std::string_view answer) const {
  return Text(data::CountWords(prompt) >= kWordsToTell ? prompt : answer);
}

EnglishCheck::Told EnglishCheck::Answer(std::string_view answer) const {
  const bool tells = answer.find("```") == std::string_view::npos && data::CountWords(answer) >= kWordsOfAnswer;
  if (!tells) return Other();
  return Text(answer);
}

EnglishCheck::Told EnglishCheck::Justification(std::string_view text) const {
  if (data::CountWords(text) < kWordsToTell) return Other();
  return Text(text);
}

}  // namespace srlm::prepare
