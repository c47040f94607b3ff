#include "common/data/rouge.h"

#include <algorithm>
#include <bit>

namespace srlm::data {
namespace {

double FMeasure(size_t common, size_t a, size_t b) {
  return a + b == 0 ? 0.0 : 2.0 * static_cast<double>(common) / static_cast<double>(a + b);
}

/// Tokens that two sorted lists share, counted with repetition: no subsequence can be longer.
size_t SharedTokens(std::span<const uint32_t> a, std::span<const uint32_t> b) {
  size_t i = 0, j = 0, shared = 0;
  while (i < a.size() && j < b.size()) {
    if (a[i] == b[j])
      ++shared, ++i, ++j;
    else if (a[i] < b[j])
      ++i;
    else
      ++j;
  }
  return shared;
}

}  // namespace

std::vector<std::string> RougeTokens(std::string_view text) {
  std::vector<std::string> tokens;
  std::string token;
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9')) {
      token += lower;
    } else if (!token.empty()) {
      tokens.push_back(std::move(token));
      token.clear();
    }
  }
  if (!token.empty()) tokens.push_back(std::move(token));
  return tokens;
}

int LcsLength(std::span<const uint32_t> a, std::span<const uint32_t> b) {
  if (a.empty() || b.empty()) return 0;
  const size_t words = (a.size() + 63) / 64;
  // Bit i of a token's mask: a[i] is that token.
  std::unordered_map<uint32_t, std::vector<uint64_t>> masks;
  for (size_t i = 0; i < a.size(); ++i) {
    auto& mask = masks[a[i]];
    mask.resize(words);
    mask[i / 64] |= uint64_t{1} << (i % 64);
  }
  // v has a 0 where the column of the table steps up; v = (v + (v & m)) | (v & ~m), carries running through words.
  std::vector<uint64_t> v(words, ~uint64_t{0});
  for (const uint32_t token : b) {
    const auto found = masks.find(token);
    if (found == masks.end()) continue;
    uint64_t carry = 0;
    for (size_t w = 0; w < words; ++w) {
      const uint64_t both = v[w] & found->second[w];
      const uint64_t sum = v[w] + both;
      const uint64_t with_carry = sum + carry;
      carry = (sum < both) | (with_carry < sum);
      v[w] = with_carry | (v[w] & ~found->second[w]);
    }
  }
  int length = 0;
  for (size_t w = 0; w < words; ++w) {
    const size_t bits = std::min<size_t>(64, a.size() - w * 64);
    const uint64_t used = bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
    length += std::popcount(~v[w] & used);
  }
  return length;
}

double RougeL(std::string_view a, std::string_view b) {
  RougeIndex index;
  index.Add(a);
  return index.FindNearest(b).f;
}

void RougeIndex::Add(std::string_view text) {
  Entry entry;
  for (std::string& token : RougeTokens(text))
    entry.tokens.push_back(
        vocabulary_.try_emplace(std::move(token), static_cast<uint32_t>(vocabulary_.size())).first->second);
  entry.sorted = entry.tokens;
  std::sort(entry.sorted.begin(), entry.sorted.end());
  texts_.push_back(std::move(entry));
}

RougeIndex::Nearest RougeIndex::FindNearest(std::string_view text) const {
  constexpr uint32_t kUnknown = ~uint32_t{0};  // a token of no text added: counts in the length, matches nothing
  std::vector<uint32_t> tokens, sorted;
  for (const std::string& token : RougeTokens(text)) {
    const auto found = vocabulary_.find(token);
    tokens.push_back(found == vocabulary_.end() ? kUnknown : found->second);
    if (found != vocabulary_.end()) sorted.push_back(found->second);
  }
  std::sort(sorted.begin(), sorted.end());
  Nearest nearest;
  for (size_t i = 0; i < texts_.size(); ++i) {
    const Entry& entry = texts_[i];
    const size_t a = entry.tokens.size(), b = tokens.size();
    // Two bounds, the cheap one first: a subsequence is no longer than the shorter text, nor than what is shared.
    if (FMeasure(std::min(a, b), a, b) <= nearest.f) continue;
    if (FMeasure(SharedTokens(entry.sorted, sorted), a, b) <= nearest.f) continue;
    const double f = FMeasure(static_cast<size_t>(LcsLength(entry.tokens, tokens)), a, b);
    if (f > nearest.f) nearest = {f, static_cast<int>(i)};
  }
  return nearest;
}

}  // namespace srlm::data
