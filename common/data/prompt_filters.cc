#include "common/data/prompt_filters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <utility>

#include "common/data/normal_form.h"

namespace srlm::data {
namespace {

/// Runs without white space: what min_words and max_words count.
int CountWords(std::string_view text) {
  int words = 0;
  bool inside = false;
  for (const unsigned char c : text) {
    const bool space = std::isspace(c) != 0;
    words += !space && !inside;
    inside = !space;
  }
  return words;
}

bool IsWordByte(unsigned char c) { return std::isalnum(c) || c == '_' || c >= 0x80; }

/// Words for the blacklist, lower case: letters, digits and anything beyond ASCII belong to a word.
std::vector<std::string> LowerWords(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (const unsigned char c : text) {
    if (!IsWordByte(c)) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    words.back() += static_cast<char>(std::tolower(c));
    inside = true;
  }
  return words;
}

bool ContainsInRow(const std::vector<std::string>& words, const std::vector<std::string>& wanted) {
  return !wanted.empty() && std::search(words.begin(), words.end(), wanted.begin(), wanted.end()) != words.end();
}

std::string DescribeOverlap(const OverlapIndex::Found& found) {
  return found.same ? "the same as " + found.origin
                    : fmt::format("{} words in a row as in {}", OverlapIndex::kWordsInARow, found.origin);
}

bool StartsWithWriteAProgram(const std::vector<std::string>& words) {
  return words.size() >= 3 && words[0] == "write" && words[1] == "a" && words[2] == "program";
}

}  // namespace

std::string_view PromptVerdictName(PromptVerdict verdict) {
  switch (verdict) {
    case PromptVerdict::kAccepted: return "accepted";
    case PromptVerdict::kCut: return "cut";
    case PromptVerdict::kEmpty: return "empty";
    case PromptVerdict::kTooShort: return "too_short";
    case PromptVerdict::kTooLong: return "too_long";
    case PromptVerdict::kBlacklisted: return "blacklisted";
    case PromptVerdict::kWriteAProgram: return "write_a_program";
    case PromptVerdict::kLeadingPunctuation: return "leading_punctuation";
    case PromptVerdict::kNonAsciiStart: return "non_ascii_start";
    case PromptVerdict::kOverlapsEvaluation: return "overlaps_evaluation";
    case PromptVerdict::kDuplicate: return "duplicate";
    case PromptVerdict::kTooSimilar: return "too_similar";
  }
  return "?";
}

PromptFilter::PromptFilter(PromptFilterOptions options) : options_(std::move(options)) {
  for (const std::string& entry : options_.blacklist) blacklist_.push_back(LowerWords(entry));
}

void PromptFilter::Add(std::string_view prompt) {
  forms_.emplace(std::hash<std::string>()(NormalForm(prompt)), static_cast<uint32_t>(known_texts_.size()));
  known_.Add(prompt);
  known_texts_.emplace_back(prompt);
}

void PromptFilter::AddEvaluation(std::string_view prompt, const std::string& origin) {
  evaluation_.Add(prompt, origin);
}

const std::string* PromptFilter::Duplicate(std::string_view prompt) const {
  const std::string form = NormalForm(prompt);
  const auto [begin, end] = forms_.equal_range(std::hash<std::string>()(form));
  const std::string* first = nullptr;
  for (auto found = begin; found != end; ++found) {
    const std::string* text = &known_texts_[found->second];
    if (NormalForm(*text) == form && (first == nullptr || text < first)) first = text;
  }
  return first;
}

PromptCheck PromptFilter::Check(std::string_view prompt, bool cut) const {
  if (cut) return {PromptVerdict::kCut, "generation ended at its token limit", 0};
  const size_t first = prompt.find_first_not_of(" \t\r\n\v\f");
  if (first == std::string_view::npos) return {PromptVerdict::kEmpty, "no text", 0};
  const int count = CountWords(prompt);
  if (count < options_.min_words) return {PromptVerdict::kTooShort, fmt::format("{} words", count), 0};
  if (count > options_.max_words) return {PromptVerdict::kTooLong, fmt::format("{} words", count), 0};
  const std::vector<std::string> words = LowerWords(prompt);
  for (size_t i = 0; i < blacklist_.size(); ++i)
    if (ContainsInRow(words, blacklist_[i])) return {PromptVerdict::kBlacklisted, options_.blacklist[i], 0};
  if (StartsWithWriteAProgram(words)) return {PromptVerdict::kWriteAProgram, "starts with \"Write a program\"", 0};
  const auto start = static_cast<unsigned char>(prompt[first]);
  if (start >= 0x80) return {PromptVerdict::kNonAsciiStart, "first character is not ASCII", 0};
  if (std::ispunct(start)) return {PromptVerdict::kLeadingPunctuation, std::string(1, prompt[first]), 0};
  if (const auto found = evaluation_.Find(prompt))
    return {PromptVerdict::kOverlapsEvaluation, DescribeOverlap(*found), 0};
  if (const std::string* known = Duplicate(prompt)) return {PromptVerdict::kDuplicate, "the same as: " + *known, 1};
  const RougeIndex::Nearest nearest = known_.FindNearest(prompt, options_.rouge_l_max);
  if (nearest.index < 0) return {};
  return {PromptVerdict::kTooSimilar,
          fmt::format("ROUGE-L {:.3f} to: {}", nearest.f, known_texts_[static_cast<size_t>(nearest.index)]), nearest.f};
}

}  // namespace srlm::data
