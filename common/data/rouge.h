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

/// Texts that a new one is compared with. The answer is that of comparing with all, and few are compared: a text whose
/// F is high enough shares so many tokens with the new one that it must have one of its rarest, and those are looked up
/// (prefix filtering: Chaudhuri et al., ICDE 2006; Bayardo et al., WWW 2007). It holds 8 bytes a token, some 60 a
/// different one and 8 a text; a search takes 2 bytes a text and 4 a different token more.
class RougeIndex {
 public:
  struct Nearest {
    double f = 0;
    int index = -1;  // of the text added so manieth, from 0; -1: none has a higher F than was asked for
  };

  void Add(std::string_view text);
  size_t size() const { return begins_.size() - 1; }

  /// The nearest of the texts whose ROUGE-L F is higher than `above`. Of equal ones the first added. The higher `above`
  /// is, the quicker.
  Nearest FindNearest(std::string_view text, double above = 0) const;

 private:
  struct Question;
  // The last text that has a token, and how often.
  struct Last {
    uint32_t text = UINT32_MAX;
    uint32_t count = 0;
  };
  std::span<const uint32_t> TokensOf(size_t text) const {
    return {tokens_.data() + begins_[text], begins_[text + 1] - begins_[text]};
  }
  /// The texts that have a token at least `count` times; null: none.
  const std::vector<uint32_t>* TextsWith(uint32_t token, uint32_t count) const;
  Question Ask(std::string_view text) const;

  std::unordered_map<std::string, uint32_t> vocabulary_;
  std::vector<uint32_t> tokens_;                   // of all texts, one after the other
  std::vector<size_t> begins_ = {0};               // of each text in tokens_, and the end
  std::vector<std::vector<uint32_t>> texts_with_;  // by token: the texts that have it, ascending
  std::vector<Last> last_;                         // by token
  // As texts_with_ for a second, third, ... time in a text; key: token, and the count above it.
  std::unordered_map<uint64_t, std::vector<uint32_t>> texts_with_more_;
};

}  // namespace srlm::data
