#include "coordinator/prepare/ready_check.h"

#include <fmt/format.h>

#include <utility>

#include "common/data/justification.h"
#include "common/data/prompt_texts.h"

namespace srlm::prepare {
namespace {

using Found = std::optional<Wrong>;

Result<Found> NotEnglish(EnglishCheck::Told told, const char* reason) {
  SRLM_ASSIGN_OR_RETURN(std::optional<std::string> other, std::move(told));
  if (!other) return Found();
  return Found({reason, std::move(*other)});
}

}  // namespace

std::optional<Wrong> ReadyCheck::Again(const std::string& key, const ReadyRow& row, const char* reason) {
  const auto [first, is_new] = places_.emplace(key, row.where);
  if (is_new) return std::nullopt;
  return Wrong{reason, "as " + first->second};
}

Result<std::optional<Wrong>> ReadyCheck::Ift(const ReadyRow& row) {
  if (!row.first_turn) return Found({"not_first_turn", ""});
  SRLM_ASSIGN_OR_RETURN(Found wrong, NotEnglish(english_.Prompt(row.prompt, row.answer), "not_english"));
  if (wrong) return wrong;
  SRLM_ASSIGN_OR_RETURN(wrong, NotEnglish(english_.Answer(row.answer), "answer_not_english"));
  if (wrong) return wrong;
  return Again(data::NormalisedPrompt(row.prompt), row, "duplicate_prompt");
}

Result<std::optional<Wrong>> ReadyCheck::Eft(ReadyRow& row) {
  SRLM_ASSIGN_OR_RETURN(Found wrong, NotEnglish(english_.Prompt(row.prompt, row.answer), "not_english"));
  if (wrong) return wrong;
  data::Justification checked = data::CheckJustification(row.justification, row.score);
  if (!checked.wrong.empty())
    return Found({"score_inside", fmt::format("the justification says another score than {}", row.score)});
  if (checked.text != row.justification) row.row["justification"] = checked.text;
  row.justification = std::move(checked.text);
  SRLM_ASSIGN_OR_RETURN(wrong, NotEnglish(english_.Justification(row.justification), "justification_not_english"));
  if (wrong) return wrong;
  return Again(data::NormalisedPrompt(row.prompt) + "\n" + row.answer, row, "same_answer");
}

}  // namespace srlm::prepare
