#include "common/data/distinct.h"

#include <unordered_set>
#include <vector>

#include "common/data/overlap.h"

namespace srlm::data {

std::optional<double> Distinct(std::span<const std::string> texts, int n) {
  std::unordered_set<std::string> different;
  size_t all = 0;
  const auto run = static_cast<size_t>(n);
  for (const std::string& text : texts) {
    const std::vector<std::string> words = PlainWords(text);
    for (size_t i = 0; i + run <= words.size(); ++i) {
      std::string joined;
      for (size_t j = i; j < i + run; ++j) joined += words[j] + ' ';
      different.insert(std::move(joined));
      ++all;
    }
  }
  if (all == 0) return std::nullopt;
  return static_cast<double>(different.size()) / static_cast<double>(all);
}

}  // namespace srlm::data
