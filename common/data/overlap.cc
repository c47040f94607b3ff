#include "common/data/overlap.h"

#include <span>
#include <sstream>
#include <utility>

#include "common/base/random.h"
#include "common/data/normal_form.h"
#include "common/data/word_parts.h"

namespace srlm::data {
namespace {

uint64_t HashOf(std::span<const WordPart> parts) {
  std::string joined;
  for (const WordPart& part : parts) joined += part.text + ' ';
  return StreamId(joined);
}

/// A hash of each run that makes kWordsInARow words, by its first part: where a run ends depends on its parts alone.
std::vector<uint64_t> HashesOfRuns(std::span<const WordPart> parts) {
  constexpr int kRunCounts = kOneWord * static_cast<int>(OverlapIndex::kWordsInARow);
  std::vector<uint64_t> hashes;
  int counts = 0;
  for (size_t begin = 0, end = 0; begin < parts.size(); counts -= parts[begin++].counts) {
    while (counts < kRunCounts && end < parts.size()) counts += parts[end++].counts;
    if (counts < kRunCounts) break;
    hashes.push_back(HashOf(parts.subspan(begin, end - begin)));
  }
  return hashes;
}

}  // namespace

std::vector<std::string> PlainWords(std::string_view text) {
  std::istringstream form(NormalForm(text));
  std::vector<std::string> words;
  for (std::string word; std::getline(form, word, ' ');) words.push_back(std::move(word));
  return words;
}

void OverlapIndex::Add(std::string_view text, const std::string& origin) {
  const std::vector<WordPart> parts = WordParts(text);
  if (parts.empty()) return;
  const auto number = static_cast<uint32_t>(origins_.size());
  origins_.push_back(origin);
  texts_.emplace(HashOf(parts), number);
  for (const uint64_t run : HashesOfRuns(parts)) runs_.emplace(run, number);
}

std::optional<OverlapIndex::Found> OverlapIndex::Find(std::string_view text) const {
  const std::vector<WordPart> parts = WordParts(text);
  if (parts.empty()) return std::nullopt;
  if (const auto same = texts_.find(HashOf(parts)); same != texts_.end()) return Found{origins_[same->second], true};
  for (const uint64_t hash : HashesOfRuns(parts))
    if (const auto run = runs_.find(hash); run != runs_.end()) return Found{origins_[run->second], false};
  return std::nullopt;
}

}  // namespace srlm::data
