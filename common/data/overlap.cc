#include "common/data/overlap.h"

#include <span>
#include <sstream>
#include <utility>

#include "common/base/random.h"
#include "common/data/normal_form.h"

namespace srlm::data {
namespace {

uint64_t HashOf(std::span<const std::string> words) {
  std::string joined;
  for (const std::string& word : words) joined += word + ' ';
  return StreamId(joined);
}

}  // namespace

std::vector<std::string> PlainWords(std::string_view text) {
  std::istringstream form(NormalForm(text));
  std::vector<std::string> words;
  for (std::string word; std::getline(form, word, ' ');) words.push_back(std::move(word));
  return words;
}

void OverlapIndex::Add(std::string_view text, const std::string& origin) {
  const std::vector<std::string> words = PlainWords(text);
  if (words.empty()) return;
  const auto number = static_cast<uint32_t>(origins_.size());
  origins_.push_back(origin);
  texts_.emplace(HashOf(words), number);
  for (size_t i = 0; i + kWordsInARow <= words.size(); ++i)
    runs_.emplace(HashOf(std::span(words).subspan(i, kWordsInARow)), number);
}

std::optional<OverlapIndex::Found> OverlapIndex::Find(std::string_view text) const {
  const std::vector<std::string> words = PlainWords(text);
  if (words.empty()) return std::nullopt;
  if (const auto same = texts_.find(HashOf(words)); same != texts_.end()) return Found{origins_[same->second], true};
  for (size_t i = 0; i + kWordsInARow <= words.size(); ++i)
    if (const auto run = runs_.find(HashOf(std::span(words).subspan(i, kWordsInARow))); run != runs_.end())
      return Found{origins_[run->second], false};
  return std::nullopt;
}

}  // namespace srlm::data
