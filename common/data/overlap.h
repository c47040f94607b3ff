// Whether a text to be measured on was trained on: the same words, or a long run of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace srlm::data {

/// Words of a text: those of its normal form (normal_form.h), so that case, spaces and punctuation are not compared. A
/// sentence in a script without spaces is one word; word_parts.h takes such apart.
std::vector<std::string> PlainWords(std::string_view text);

class OverlapIndex {
 public:
  /// Words in a row that two texts may not share. Of scripts without spaces it takes as many characters in a row as
  /// make so many words (word_parts.h): 26 ideographs, 39 kana, 65 characters of Thai.
  static constexpr size_t kWordsInARow = 13;

  /// Adds a text; `origin` is what Find says of it.
  void Add(std::string_view text, const std::string& origin);

  struct Found {
    std::string origin;  // of the first text added that overlaps
    bool same = false;   // all the words; else kWordsInARow of them
  };
  /// A text that was added and has the same words and characters, or shares a run of kWordsInARow words.
  std::optional<Found> Find(std::string_view text) const;

 private:
  std::unordered_map<uint64_t, uint32_t> runs_;   // hash of a run of words -> text
  std::unordered_map<uint64_t, uint32_t> texts_;  // hash of all words -> text
  std::vector<std::string> origins_;
};

}  // namespace srlm::data
