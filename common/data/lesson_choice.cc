#include "common/data/lesson_choice.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "common/base/check.h"
#include "common/base/random.h"

namespace srlm::data {
namespace {

constexpr uint64_t kBalanceStream = 2;  // after seed_split.cc's

}  // namespace

std::string_view OrderAgreementName(OrderAgreement agreement) {
  switch (agreement) {
    case OrderAgreement::kAgrees: return "agrees";
    case OrderAgreement::kUnparsed: return "unparsed";
    case OrderAgreement::kTied: return "tied";
    case OrderAgreement::kDisagrees: return "order_disagrees";
  }
  return "";
}

OrderAgreement CompareOrder(const SourcePrompt& prompt, std::span<const std::optional<int>> scores) {
  SRLM_CHECK(scores.size() == prompt.answers.size(), "a score an answer");
  std::vector<std::pair<double, int>> ranked;  // quality, score
  for (size_t i = 0; i < scores.size(); ++i) {
    if (!prompt.answers[i].quality) continue;
    if (!scores[i]) return OrderAgreement::kUnparsed;
    ranked.emplace_back(*prompt.answers[i].quality, *scores[i]);
  }
  for (const auto& [quality, score] : ranked)
    for (const auto& [other_quality, other_score] : ranked)
      if (quality > other_quality && score < other_score) return OrderAgreement::kDisagrees;
  // No pair is reversed; all may still be equal.
  const auto [lowest, highest] = std::ranges::minmax_element(ranked, {}, &std::pair<double, int>::first);
  if (lowest == ranked.end()) return OrderAgreement::kTied;
  int least_of_best = kMaxScore;
  int most_of_worst = kMinScore;
  for (const auto& [quality, score] : ranked) {
    if (quality == highest->first) least_of_best = std::min(least_of_best, score);
    if (quality == lowest->first) most_of_worst = std::max(most_of_worst, score);
  }
  return least_of_best > most_of_worst ? OrderAgreement::kAgrees : OrderAgreement::kTied;
}

std::vector<std::optional<int>> ScoresFromRanks(const SourcePrompt& prompt) {
  std::set<double> levels;
  for (const SourceAnswer& answer : prompt.answers)
    if (answer.quality) levels.insert(*answer.quality);
  SRLM_CHECK(levels.size() > 1, "scores by rank need answers of different qualities");
  std::vector<std::optional<int>> scores;
  for (const SourceAnswer& answer : prompt.answers) {
    if (!answer.quality) {
      scores.emplace_back(std::nullopt);
      continue;
    }
    const auto rank = static_cast<double>(std::distance(levels.begin(), levels.find(*answer.quality)));
    const double share = rank / static_cast<double>(levels.size() - 1);
    scores.emplace_back(static_cast<int>(std::floor(share * kMaxScore + 0.5)));
  }
  return scores;
}

ScoreHistogram CountScores(std::span<const int> scores) {
  ScoreHistogram histogram{};
  for (const int score : scores) ++histogram[static_cast<size_t>(score)];
  return histogram;
}

std::vector<bool> BalanceScores(std::span<const int> scores, std::span<const std::string> keys, uint64_t seed) {
  SRLM_CHECK(scores.size() == keys.size(), "a key a score");
  const ScoreHistogram histogram = CountScores(scores);
  const auto most = static_cast<int>(std::ranges::max_element(histogram) - histogram.begin());
  ScoreHistogram others = histogram;
  others[static_cast<size_t>(most)] = 0;
  const auto limit = static_cast<size_t>(std::ranges::max(others));
  std::vector<bool> stays(scores.size(), true);
  if (limit == 0) return stays;  // a single score: there is nothing to balance it with
  std::vector<std::pair<uint64_t, size_t>> draws;
  for (size_t i = 0; i < scores.size(); ++i)
    if (scores[i] == most) draws.emplace_back(RandomStream(seed, {kBalanceStream, StreamId(keys[i])}).Bits(0), i);
  std::ranges::sort(draws);
  for (size_t i = limit; i < draws.size(); ++i) stays[draws[i].second] = false;
  return stays;
}

}  // namespace srlm::data
