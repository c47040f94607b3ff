#include "common/data/rouge.h"

#include <algorithm>
#include <bit>

namespace srlm::data {
namespace {

double FMeasure(size_t common, size_t a, size_t b) {
  return a + b == 0 ? 0.0 : 2.0 * static_cast<double>(common) / static_cast<double>(a + b);
}

/// The shortest common subsequence with which texts of `a` and `b` tokens have a higher F than `above`.
size_t LeastCommon(double above, size_t a, size_t b) {
  auto least = static_cast<size_t>(above * static_cast<double>(a + b) / 2);
  while (least > 0 && FMeasure(least - 1, a, b) > above) --least;
  while (FMeasure(least, a, b) <= above && least <= a + b) ++least;
  return least;
}

uint64_t CountedToken(uint32_t token, uint32_t count) { return uint64_t{count} << 32 | token; }

// Bit i of the mask of a token: the text's token i is that one.
class LcsMasks {
 public:
  /// `slots`: 0 for a token that the text does not have, else the number of its mask, from 1; `count` masks.
  LcsMasks(std::span<const uint32_t> slots_of_text, size_t count)
      : length_(slots_of_text.size()), words_((length_ + 63) / 64), masks_((count + 1) * words_), column_(words_) {
    for (size_t i = 0; i < length_; ++i) masks_[slots_of_text[i] * words_ + i / 64] |= uint64_t{1} << (i % 64);
  }

  /// With a text of which `slot_of` gives each token's slot.
  size_t Common(std::span<const uint32_t> tokens, const auto& slot_of) {
    if (words_ == 0) return 0;
    // A 0 of the column is where the table steps up; v = (v + (v & m)) | (v & ~m), carries running through words.
    std::ranges::fill(column_, ~uint64_t{0});
    for (const uint32_t token : tokens) {
      const uint32_t slot = slot_of(token);
      if (slot == 0) continue;
      const uint64_t* const mask = masks_.data() + slot * words_;
      uint64_t carry = 0;
      for (size_t w = 0; w < words_; ++w) {
        const uint64_t v = column_[w], both = v & mask[w];
        const uint64_t sum = v + both, with_carry = sum + carry;
        carry = static_cast<uint64_t>(sum < both) | static_cast<uint64_t>(with_carry < sum);
        column_[w] = with_carry | (v & ~mask[w]);
      }
    }
    size_t common = 0;
    for (size_t w = 0; w < words_; ++w) {
      const size_t bits = std::min<size_t>(64, length_ - w * 64);
      const uint64_t used = bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
      common += static_cast<size_t>(std::popcount(~column_[w] & used));
    }
    return common;
  }

 private:
  size_t length_, words_;
  std::vector<uint64_t> masks_;   // [slot, word]
  std::vector<uint64_t> column_;  // of the table, for the tokens so far
};

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
  std::unordered_map<uint32_t, uint32_t> slots;
  std::vector<uint32_t> of_text;
  for (const uint32_t token : a)
    of_text.push_back(slots.try_emplace(token, static_cast<uint32_t>(slots.size()) + 1).first->second);
  const auto slot_of = [&](uint32_t token) {
    const auto found = slots.find(token);
    return found == slots.end() ? 0 : found->second;
  };
  return static_cast<int>(LcsMasks(of_text, slots.size()).Common(b, slot_of));
}

double RougeL(std::string_view a, std::string_view b) {
  RougeIndex index;
  index.Add(a);
  return index.FindNearest(b).f;
}

void RougeIndex::Add(std::string_view text) {
  const auto number = static_cast<uint32_t>(size());
  for (std::string& word : RougeTokens(text)) {
    const uint32_t token =
        vocabulary_.try_emplace(std::move(word), static_cast<uint32_t>(vocabulary_.size())).first->second;
    tokens_.push_back(token);
    if (token == texts_with_.size()) {
      texts_with_.emplace_back();
      last_.emplace_back();
    }
    Last& last = last_[token];
    if (last.text != number) last = {number, 0};
    const uint32_t count = ++last.count;
    (count == 1 ? texts_with_[token] : texts_with_more_[CountedToken(token, count)]).push_back(number);
  }
  begins_.push_back(tokens_.size());
}

const std::vector<uint32_t>* RougeIndex::TextsWith(uint32_t token, uint32_t count) const {
  if (count == 1) return &texts_with_[token];
  const auto found = texts_with_more_.find(CountedToken(token, count));
  return found == texts_with_more_.end() ? nullptr : &found->second;
}

// A text that is searched for.
struct RougeIndex::Question {
  size_t length = 0;                                // tokens
  size_t distinct = 0;                              // of those that some text has
  std::vector<uint32_t> slots;                      // of each token; 0: no text has it
  std::vector<uint32_t> slot_of;                    // by token of the vocabulary; 0: not in the question
  std::vector<const std::vector<uint32_t>*> lists;  // of its tokens, each with its count, the rarest first
};

RougeIndex::Question RougeIndex::Ask(std::string_view text) const {
  Question question;
  question.slot_of.resize(vocabulary_.size());
  std::vector<uint32_t> counts = {0};  // by slot
  for (const std::string& word : RougeTokens(text)) {
    ++question.length;
    const auto found = vocabulary_.find(word);
    if (found == vocabulary_.end()) {
      question.slots.push_back(0);
      continue;
    }
    uint32_t& slot = question.slot_of[found->second];
    if (slot == 0) {
      slot = static_cast<uint32_t>(++question.distinct);
      counts.push_back(0);
    }
    question.slots.push_back(slot);
    if (const auto* list = TextsWith(found->second, ++counts[slot])) question.lists.push_back(list);
  }
  std::ranges::stable_sort(question.lists, {}, [](const auto* list) { return list->size(); });
  return question;
}

RougeIndex::Nearest RougeIndex::FindNearest(std::string_view text, double above) const {
  const Question question = Ask(text);
  const size_t a = question.length;
  Nearest nearest{above, -1};
  // No text is that short, so none has fewer tokens in common.
  size_t shortest = 1;
  while (shortest <= a && FMeasure(shortest, a, shortest) <= above) ++shortest;
  const size_t least = LeastCommon(above, a, shortest);
  // Who has `least` of the question's `a` tokens has one of any a - least + 1, so also of the rarest so many; those
  // that no text has are the rarest.
  const size_t unknown = a - question.lists.size();
  const size_t lists = least > a || a - least + 1 <= unknown ? 0 : a - least + 1 - unknown;
  std::vector<uint16_t> shared(size());  // tokens of these lists that a text has
  for (size_t i = 0; i < lists; ++i)
    for (const uint32_t number : *question.lists[i]) shared[number] += shared[number] < UINT16_MAX;
  LcsMasks masks(question.slots, question.distinct);
  const auto slot_of = [&](uint32_t token) { return question.slot_of[token]; };
  const size_t others = question.lists.size() - lists;
  for (size_t i = 0; i < shared.size(); ++i) {
    if (shared[i] == 0) continue;
    const std::span<const uint32_t> tokens = TokensOf(i);
    const size_t b = tokens.size();
    // A subsequence is no longer than the shorter text, nor than what is shared.
    const size_t most = shared[i] == UINT16_MAX ? a : shared[i] + others;
    if (FMeasure(std::min({a, b, most}), a, b) <= nearest.f) continue;
    const double f = FMeasure(masks.Common(tokens, slot_of), a, b);
    if (f > nearest.f) nearest = {f, static_cast<int>(i)};
  }
  return nearest.index < 0 ? Nearest{} : nearest;
}

}  // namespace srlm::data
