#include "common/data/head_to_head.h"

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/data/clustered.h"
#include "common/data/judge_metrics.h"
#include "common/data/length_control.h"

namespace srlm::data {
namespace {

/// Figures that are a sum over a count; a prompt adds to both.
enum Ratio {
  kJudged,
  kWin,
  kTie,
  kLose,
  kWinRate,
  kMatched,
  kPreference,
  kFlipped,
  kFirst,
  kLonger,
  kCharactersX,
  kCharactersY,
  kRatios
};

/// What the figures need of one prompt, or of a draw of prompts.
struct Sums : RatioSums<kRatios> {
  std::vector<LengthOutcome> outcomes;

  using RatioSums::Add;
  void Add(const Sums& other) {
    RatioSums::Add(other);
    outcomes.insert(outcomes.end(), other.outcomes.begin(), other.outcomes.end());
  }
};

void Add(const ComparedAnswers& compared, Sums& sums) {
  sums.Add(kCharactersX, static_cast<double>(compared.characters_x));
  sums.Add(kCharactersY, static_cast<double>(compared.characters_y));
  const Comparison comparison = CompareOrders(compared.forward, compared.backward);
  sums.Add(kJudged, comparison.verdict ? 1 : 0);
  if (!comparison.verdict) return;
  const double win = *comparison.verdict == PairVerdict::kA ? 1.0 : *comparison.verdict == PairVerdict::kB ? 0.0 : 0.5;
  sums.Add(kWin, win == 1 ? 1 : 0);
  sums.Add(kTie, win == 0.5 ? 1 : 0);
  sums.Add(kLose, win == 0 ? 1 : 0);
  sums.Add(kWinRate, win);
  if (LengthMatched(compared.characters_x, compared.characters_y)) sums.Add(kMatched, win);
  sums.Add(kPreference, *comparison.prefers_x);
  sums.Add(kFlipped, comparison.flipped ? 1 : 0);
  sums.Add(kFirst, (*compared.forward.prefers_first + *compared.backward.prefers_first) / 2);
  const int64_t longer_by = compared.characters_x - compared.characters_y;
  if (longer_by != 0) sums.Add(kLonger, longer_by > 0 ? win : 1 - win);
  sums.outcomes.push_back({win, static_cast<double>(longer_by)});
}

}  // namespace

HeadToHead ComputeHeadToHead(std::span<const ComparedAnswers> compared, uint64_t seed, int resamples) {
  std::map<std::string, Sums> by_prompt;
  for (const ComparedAnswers& each : compared) Add(each, by_prompt[each.prompt_id]);
  std::vector<Sums> prompts;
  Sums all;
  for (auto& [id, sums] : by_prompt) {
    all.Add(sums);
    prompts.push_back(std::move(sums));
  }

  HeadToHead result;
  result.prompts = static_cast<int64_t>(prompts.size());
  result.comparisons = static_cast<int64_t>(compared.size());
  const std::array<Figure*, kRatios> figures = {
      &result.judged,      &result.win,          &result.tie,
      &result.lose,        &result.win_rate,     &result.win_rate_length_matched,
      &result.preference,  &result.flipped,      &result.prefers_first,
      &result.longer_wins, &result.characters_x, &result.characters_y};
  RatioDraws<kRatios> drawn;
  std::vector<double> drawn_controlled;
  DrawPrompts(prompts, seed, resamples, [&](const Sums& sums) {
    drawn.Add(sums);
    if (const auto rate = LengthControlledWinRate(sums.outcomes)) drawn_controlled.push_back(*rate);
  });
  drawn.Set(all, figures);
  if (const auto rate = LengthControlledWinRate(all.outcomes)) {
    result.win_rate_length_controlled.n = result.win_rate.n;
    result.win_rate_length_controlled.value = *rate;
    SetInterval(std::move(drawn_controlled), result.win_rate_length_controlled);
  }
  return result;
}

nlohmann::json ToJson(const HeadToHead& result) {
  return {{"prompts", result.prompts},
          {"comparisons", result.comparisons},
          {"judged", ToJson(result.judged)},
          {"win", ToJson(result.win)},
          {"tie", ToJson(result.tie)},
          {"lose", ToJson(result.lose)},
          {"win_rate", ToJson(result.win_rate)},
          {"win_rate_length_matched", ToJson(result.win_rate_length_matched)},
          {"win_rate_length_controlled", ToJson(result.win_rate_length_controlled)},
          {"preference", ToJson(result.preference)},
          {"flipped", ToJson(result.flipped)},
          {"prefers_first", ToJson(result.prefers_first)},
          {"longer_wins", ToJson(result.longer_wins)},
          {"characters_x", ToJson(result.characters_x)},
          {"characters_y", ToJson(result.characters_y)}};
}

}  // namespace srlm::data
