#include "common/data/judge_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/base/check.h"
#include "common/data/clustered.h"
#include "common/data/statistics.h"

namespace srlm::data {
namespace {

/// Figures that are a sum over a count; a prompt adds to both.
enum Ratio {
  kPairwise,
  kPairwiseMatched,
  kTies,
  kExact,
  kFiveBest,
  kSpearman,
  kKendall,
  kParsed,
  kLonger,
  kLongerMatched,
  kRatios
};

/// Everything the figures need of one prompt, or of a sum of prompts.
struct Sums : RatioSums<kRatios> {
  // Score x against characters y, over scored answers.
  double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;

  using RatioSums::Add;
  void Add(const Sums& other) {
    RatioSums::Add(other);
    n += other.n, x += other.x, y += other.y, xx += other.xx, yy += other.yy, xy += other.xy;
  }
  double Correlation() const {
    const double var_x = xx - x * x / n, var_y = yy - y * y / n;
    // Below rounding of the sums, a list is constant.
    if (n < 2 || var_x <= 1e-12 * xx || var_y <= 1e-12 * yy) return 0;
    return (xy - x * y / n) / std::sqrt(var_x * var_y);
  }
};

using Answers = std::vector<const JudgedAnswer*>;

/// 1 when `better` is higher, 1/2 when equal, 0 when lower.
template <class T>
double Win(T better, T worse) {
  return better > worse ? 1.0 : better == worse ? 0.5 : 0.0;
}

void AddPair(const JudgedAnswer& a, const JudgedAnswer& b, Sums& sums) {
  const JudgedAnswer& better = a.quality > b.quality ? a : b;
  const JudgedAnswer& worse = a.quality > b.quality ? b : a;
  const bool matched = LengthMatched(a.characters, b.characters);
  const double longer = Win(better.characters, worse.characters);
  sums.Add(kLonger, longer);
  if (matched) sums.Add(kLongerMatched, longer);
  if (!a.predicted || !b.predicted) return;
  const double win = Win(*better.predicted, *worse.predicted);
  sums.Add(kPairwise, win);
  if (matched) sums.Add(kPairwiseMatched, win);
  sums.Add(kTies, win == 0.5 ? 1.0 : 0.0);
}

void AddScore(const JudgedAnswer& answer, Sums& sums) {
  sums.Add(kParsed, answer.predicted ? 1.0 : 0.0);
  if (!answer.predicted) return;
  const double x = *answer.predicted, y = static_cast<double>(answer.characters);
  sums.n += 1, sums.x += x, sums.y += y, sums.xx += x * x, sums.yy += y * y, sums.xy += x * y;
}

void AddFives(const Answers& answers, Sums& sums) {
  constexpr double kLeast = 4.5;  // rounds to 5: means of votes and expected scores seldom are 5 itself
  const auto [worst, best] = std::ranges::minmax_element(answers, {}, &JudgedAnswer::quality);
  if ((*worst)->quality == (*best)->quality) return;
  for (const JudgedAnswer* answer : answers)
    if (answer->predicted && *answer->predicted >= kLeast)
      sums.Add(kFiveBest, answer->quality == (*best)->quality ? 1.0 : 0.0);
}

Sums SumsOf(const Answers& answers) {
  Sums sums;
  AddFives(answers, sums);
  for (size_t i = 0; i < answers.size(); ++i) {
    AddScore(*answers[i], sums);
    for (size_t j = i + 1; j < answers.size(); ++j)
      if (answers[i]->quality != answers[j]->quality) AddPair(*answers[i], *answers[j], sums);
  }
  if (sums.count[kPairwise] == 0) return sums;
  std::vector<double> quality, predicted;
  for (const JudgedAnswer* answer : answers) {
    if (!answer->predicted) continue;
    quality.push_back(answer->quality);
    predicted.push_back(*answer->predicted);
  }
  sums.Add(kSpearman, Spearman(quality, predicted));
  sums.Add(kKendall, KendallTauB(quality, predicted));
  if (predicted.size() == answers.size()) sums.Add(kExact, sums.sum[kPairwise] == sums.count[kPairwise] ? 1.0 : 0.0);
  return sums;
}

}  // namespace

JudgeMetrics ComputeJudgeMetrics(std::span<const JudgedAnswer> answers, uint64_t seed, int resamples) {
  std::map<std::string, Answers> by_prompt;
  for (const JudgedAnswer& answer : answers) by_prompt[answer.prompt_id].push_back(&answer);
  std::vector<Sums> prompts;
  Sums all;
  for (const auto& [id, group] : by_prompt) {
    prompts.push_back(SumsOf(group));
    all.Add(prompts.back());
  }

  JudgeMetrics metrics;
  metrics.prompts = static_cast<int64_t>(prompts.size());
  metrics.answers = static_cast<int64_t>(answers.size());
  const std::array<Figure*, kRatios> figures = {&metrics.pairwise_accuracy, &metrics.pairwise_accuracy_length_matched,
                                                &metrics.predicted_ties,    &metrics.exact_match,
                                                &metrics.five_best,         &metrics.spearman,
                                                &metrics.kendall,           &metrics.parse_rate,
                                                &metrics.longer_wins,       &metrics.longer_wins_length_matched};
  RatioDraws<kRatios> drawn;
  std::vector<double> drawn_correlation;
  DrawPrompts(prompts, seed, resamples, [&](const Sums& sums) {
    drawn.Add(sums);
    if (sums.n >= 2) drawn_correlation.push_back(sums.Correlation());
  });
  drawn.Set(all, figures);
  metrics.length_correlation.n = std::llround(all.n);
  if (all.n >= 2) {
    metrics.length_correlation.value = all.Correlation();
    SetInterval(std::move(drawn_correlation), metrics.length_correlation);
  }
  return metrics;
}

JudgeGain ComputeJudgeGain(std::span<const JudgedAnswer> before, std::span<const JudgedAnswer> after, uint64_t seed,
                           int resamples) {
  struct Both {
    Sums before, after;
    void Add(const Both& other) {
      before.Add(other.before);
      after.Add(other.after);
    }
  };
  SRLM_CHECK(before.size() == after.size(), "two judges of the same answers");
  std::map<std::string, std::array<Answers, 2>> by_prompt;
  for (size_t i = 0; i < before.size(); ++i) {
    if (!before[i].predicted || !after[i].predicted) continue;  // else the two would be right on other pairs
    by_prompt[before[i].prompt_id][0].push_back(&before[i]);
    by_prompt[after[i].prompt_id][1].push_back(&after[i]);
  }
  std::vector<Both> prompts;
  Both all;
  for (const auto& [id, groups] : by_prompt) {
    prompts.push_back({SumsOf(groups[0]), SumsOf(groups[1])});
    all.Add(prompts.back());
  }
  JudgeGain gain;
  const std::pair<Ratio, Figure*> figures[] = {{kPairwise, &gain.pairwise_accuracy},
                                               {kPairwiseMatched, &gain.pairwise_accuracy_length_matched}};
  for (const auto& [ratio, figure] : figures) {
    const auto difference = [ratio](const Both& both) -> std::optional<double> {
      if (both.before.count[ratio] == 0 || both.after.count[ratio] == 0) return std::nullopt;
      return both.after.sum[ratio] / both.after.count[ratio] - both.before.sum[ratio] / both.before.count[ratio];
    };
    const auto value = difference(all);
    if (!value) continue;
    figure->value = *value;
    figure->n = std::llround(std::min(all.before.count[ratio], all.after.count[ratio]));
    std::vector<double> drawn;
    DrawPrompts(prompts, seed, resamples, [&](const Both& both) {
      if (const auto one = difference(both)) drawn.push_back(*one);
    });
    SetInterval(std::move(drawn), *figure);
  }
  return gain;
}

nlohmann::json ToJson(const JudgeGain& gain) {
  return {{"pairwise_accuracy", ToJson(gain.pairwise_accuracy)},
          {"pairwise_accuracy_length_matched", ToJson(gain.pairwise_accuracy_length_matched)}};
}

nlohmann::json ToJson(const JudgeMetrics& metrics) {
  return {{"prompts", metrics.prompts},
          {"answers", metrics.answers},
          {"pairwise_accuracy", ToJson(metrics.pairwise_accuracy)},
          {"pairwise_accuracy_length_matched", ToJson(metrics.pairwise_accuracy_length_matched)},
          {"predicted_ties", ToJson(metrics.predicted_ties)},
          {"exact_match", ToJson(metrics.exact_match)},
          {"five_best", ToJson(metrics.five_best)},
          {"spearman", ToJson(metrics.spearman)},
          {"kendall", ToJson(metrics.kendall)},
          {"parse_rate", ToJson(metrics.parse_rate)},
          {"length_correlation", ToJson(metrics.length_correlation)},
          {"longer_wins", ToJson(metrics.longer_wins)},
          {"longer_wins_length_matched", ToJson(metrics.longer_wins_length_matched)}};
}

bool LengthMatched(int64_t a, int64_t b) {
  constexpr double kMostTimes = 1.3;
  const auto [shorter, longer] = std::minmax(a, b);
  return static_cast<double>(longer) <= kMostTimes * static_cast<double>(shorter);
}

int64_t CountCharacters(std::string_view text) {
  // Every code point has one byte that is not a continuation byte (10xxxxxx).
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

}  // namespace srlm::data
