// ROUGE-L F (Lin 2004), with the tokens of google-research's rouge_score without stemming: lower-cased runs of
// a-z and 0-9, everything else separates.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace srlm::data {

std::vector<std::string> RougeTokens(std::string_view text);

/// Length of the longest common subsequence, 64 positions a word operation (Hyyrö 2004).
int LcsLength(std::span<const uint32_t> a, std::span<const uint32_t> b);

/// ROUGE-L F of two texts, 0 when either has no token.
double RougeL(std::string_view a, std::string_view b);

/// Texts that a new one is compared with.
class RougeIndex {
 public:
  struct Nearest {
    double f = 0;
    int index = -1;  // of the text added so manieth, from 0; -1 when nothing shares a token
  };

  void Add(std::string_view text);
  size_t size() const { return texts_.size(); }

  /// The nearest text and its ROUGE-L F. Of equal ones the first added.
  Nearest FindNearest(std::string_view text) const;

 private:
  struct Entry {
    std::vector<uint32_t> tokens;
    std::vector<uint32_t> sorted;  // the same, sorted: shared tokens bound the LCS
  };
  std::unordered_map<std::string, uint32_t> vocabulary_;
  std::vector<Entry> texts_;
};

}  // namespace srlm::data
