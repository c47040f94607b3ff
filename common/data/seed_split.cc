#include "common/data/seed_split.h"

#include <algorithm>

#include "common/base/hash.h"
#include "common/base/random.h"

namespace srlm::data {
namespace {

constexpr uint64_t kSplitStream = 1;  // the streams that prepare draws from are numbered

}  // namespace

bool IsTrainingPrompt(const std::string& prompt_id) {
  return std::stoi(Sha256(prompt_id).substr(0, 2), nullptr, 16) < kTrainingBytes;
}

bool IsRanked(const SourcePrompt& prompt) {
  std::optional<double> first;
  for (const SourceAnswer& answer : prompt.answers) {
    if (!answer.quality) continue;
    if (first && *first != *answer.quality) return true;
    first = answer.quality;
  }
  return false;
}

int BestAnswer(const SourcePrompt& prompt) {
  if (prompt.answers.size() == 1) return 0;
  // An answer without a quality is below all that have one.
  const auto best = std::ranges::max_element(prompt.answers, {}, &SourceAnswer::quality);
  if (best == prompt.answers.end() || !best->quality) return -1;
  return static_cast<int>(best - prompt.answers.begin());
}

double PromptDraw(uint64_t seed, const std::string& prompt_id) {
  return RandomStream(seed, {kSplitStream, StreamId(prompt_id)}).Uniform(0);
}

}  // namespace srlm::data
