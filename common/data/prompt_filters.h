// The filters that a new prompt passes (Self-Instruct, arXiv 2212.10560, as the method takes them over).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/data/overlap.h"
#include "common/data/rouge.h"

namespace srlm::data {

enum class PromptVerdict {
  kAccepted,
  kCut,  // generation ended at its token limit, so the instruction may be half of one
  kEmpty,
  kTooShort,       // fewer than min_words
  kTooLong,        // more than max_words
  kBlacklisted,    // asks for what text cannot give
  kWriteAProgram,  // starts with "Write a program"
  kLeadingPunctuation,
  kNonAsciiStart,
  kOverlapsEvaluation,  // with a prompt that models are measured on (OverlapIndex)
  kDuplicate,           // the normal form of a known prompt
  kTooSimilar,          // ROUGE-L F above the limit to a known prompt
};

/// Snake case, as the ledger and exports store it.
std::string_view PromptVerdictName(PromptVerdict verdict);

struct PromptFilterOptions {
  int min_words = 4;
  int max_words = 150;
  double rouge_l_max = 0.7;
  std::vector<std::string> blacklist;  // matched as whole words, in any case; "go to" is two in a row
};

/// What a filter said about one prompt.
struct PromptCheck {
  PromptVerdict verdict = PromptVerdict::kAccepted;
  std::string detail;        // for people: the word, the count, the nearest prompt
  double nearest_rouge = 0;  // of one that is too similar
};

/// Knows seeds, given prompts and the prompts accepted so far, of all rounds: their texts, and of each some 40 bytes,
/// and what RougeIndex holds; and the prompts that models are measured on. The order of Check and Add decides: call in
/// index order.
class PromptFilter {
 public:
  explicit PromptFilter(PromptFilterOptions options);

  /// A seed, a given or an accepted prompt: later ones must differ from it.
  void Add(std::string_view prompt);
  /// A prompt that models are measured on: no later one may overlap with it. `origin` is what a check says of it.
  void AddEvaluation(std::string_view prompt, const std::string& origin);
  /// Whether `prompt` passes. `cut`: its generation ended at the token limit before the instruction did.
  PromptCheck Check(std::string_view prompt, bool cut) const;

 private:
  /// The known text that has the same normal form; null: none.
  const std::string* Duplicate(std::string_view prompt) const;

  PromptFilterOptions options_;
  std::vector<std::vector<std::string>> blacklist_;  // words of each entry, lower case
  RougeIndex known_;
  std::vector<std::string> known_texts_;
  std::unordered_multimap<uint64_t, uint32_t> forms_;  // hash of a normal form -> text
  OverlapIndex evaluation_;
};

}  // namespace srlm::data
