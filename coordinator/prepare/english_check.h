// Which texts are English, where nothing else may stay.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "coordinator/prepare/language_of.h"

namespace srlm::prepare {

class EnglishCheck {
 public:
  /// What a text is instead of English, as a reject's detail says it; none: it is English, or any language may stay.
  using Told = Result<std::optional<std::string>>;

  EnglishCheck(bool any_language, const LanguageOf& language_of)
      : any_language_(any_language), language_of_(language_of) {}

  /// By its answer when it has too few words.
  Told Prompt(std::string_view prompt, std::string_view answer) const;
  /// Of a prompt known to be English. A few words, or code, tell a detector nothing.
  Told Answer(std::string_view answer) const;
  /// A word or two tell nothing.
  Told Justification(std::string_view text) const;

 private:
  Told Text(std::string_view text) const;

  bool any_language_;
  const LanguageOf& language_of_;
};

}  // namespace srlm::prepare
