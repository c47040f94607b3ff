// How many words a text has, in scripts with spaces between them and in scripts without.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace srlm::data {

/// What a whole word counts.
inline constexpr int kOneWord = 30;

/// A word of a text's normal form (normal_form.h), or a character of a script that is written without spaces, which
/// counts a part of a word: half of one for an ideograph, a third for kana, a fifth for a character of Thai, Lao, Khmer
/// or Burmese (vowel signs are characters of their own).
struct WordPart {
  std::string text;
  int counts = kOneWord;
  bool operator==(const WordPart&) const = default;
};

std::vector<WordPart> WordParts(std::string_view text);

/// Whole words that a text's parts make.
size_t CountWords(std::string_view text);

}  // namespace srlm::data
