#include "common/data/answer_figures.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "common/data/distinct.h"
#include "common/data/figure.h"
#include "common/data/judge_metrics.h"

namespace srlm::data {
namespace {

nlohmann::json OrNull(const std::optional<double>& value) { return value ? nlohmann::json(*value) : nlohmann::json(); }

}  // namespace

nlohmann::json DescribeAnswers(std::span<const Answer> answers, uint64_t seed) {
  std::vector<ClusteredValue> characters, tokens, cut;
  std::vector<std::string> texts;
  for (const Answer& answer : answers) {
    if (!answer.error.empty()) continue;
    characters.push_back({answer.prompt_id, static_cast<double>(CountCharacters(answer.text))});
    tokens.push_back({answer.prompt_id, static_cast<double>(answer.tokens)});
    cut.push_back({answer.prompt_id, answer.cut ? 1.0 : 0.0});
    texts.push_back(answer.text);
  }
  return {{"answers", texts.size()},
          {"failed", answers.size() - texts.size()},
          {"cut", ToJson(ClusteredRatio(cut, seed))},
          {"characters", ToJson(ClusteredRatio(characters, seed))},
          {"tokens", ToJson(ClusteredRatio(tokens, seed))},
          {"distinct_1", OrNull(Distinct(texts, 1))},
          {"distinct_2", OrNull(Distinct(texts, 2))},
          {"distinct_3", OrNull(Distinct(texts, 3))}};
}

}  // namespace srlm::data
