#include "common/text/choices.h"

#include <fmt/format.h>

#include <algorithm>

namespace srlm::text {

Result<Choices> FindChoices(const Tokenizer& tokenizer, std::string_view opening,
                            std::span<const std::string> choices) {
  Choices found;
  SRLM_ASSIGN_OR_RETURN(found.opening_ids, tokenizer.Encode(opening, SpecialTokensInText::kText));
  for (const std::string& choice : choices) {
    SRLM_ASSIGN_OR_RETURN(const std::vector<int> ids,
                          tokenizer.Encode(std::string(opening) + choice, SpecialTokensInText::kText));
    const bool one_more = ids.size() == found.opening_ids.size() + 1 &&
                          std::equal(found.opening_ids.begin(), found.opening_ids.end(), ids.begin());
    if (!one_more) {
      return InvalidArgument(
          fmt::format("'{}' is not one token after '{}' in this tokenizer; use sampled verdicts", choice, opening));
    }
    found.choice_ids.push_back(ids.back());
  }
  return found;
}

}  // namespace srlm::text
