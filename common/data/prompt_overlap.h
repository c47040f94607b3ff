// Whether two sets of prompts are apart: no text in both, and no long run of words in both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/status.h"

namespace srlm::data {

/// Words of a text as they are compared: runs of letters and digits, small letters; bytes outside ASCII count as
/// letters.
std::vector<std::string> OverlapWords(std::string_view text);

/// The words with one space between: equal texts but for case, spaces and punctuation have the same.
std::string NormalisedPrompt(std::string_view text);

/// A set of prompts, and how a text meets it: with all its words the same, or with `n` words in a row that a prompt of
/// the set has too (by a 64-bit hash; n as in GPT-3's check of its training data, arXiv 2005.14165).
class PromptOverlap {
 public:
  explicit PromptOverlap(int n) : n_(n) {}

  void Add(std::string_view prompt, const std::string& name);
  /// How it meets the set, for people ("the same as ...", "13 words in a row as in ..."); none when it does not.
  std::optional<std::string> Find(std::string_view prompt) const;
  size_t size() const { return size_; }

 private:
  int n_;
  size_t size_ = 0;
  std::unordered_map<std::string, std::string> whole_;  // normalised text -> name
  std::unordered_map<uint64_t, std::string> runs_;      // hash of n words -> name of the first prompt with them
};

/// Every prompt of a JSON Lines file, whatever it is of: "prompt", "prompt_text", "instruction" (and "instances"'
/// inputs stay out), "messages" or "turns", each turn of the user a prompt. `file:line: ...` for a row without one.
Result<std::vector<std::string>> LoadPromptTexts(const std::string& path);

}  // namespace srlm::data
