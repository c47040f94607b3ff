// Figures over prompts with intervals: each is a sum over a count, and a bootstrap draws whole prompts.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/base/random.h"
#include "common/data/figure.h"

namespace srlm::data {

/// What `kRatios` figures need of one prompt, or of several: a resample only adds.
template <int kRatios>
struct RatioSums {
  std::array<double, kRatios> sum{};
  std::array<double, kRatios> count{};

  void Add(int ratio, double value, double counts = 1) {
    sum[static_cast<size_t>(ratio)] += value;
    count[static_cast<size_t>(ratio)] += counts;
  }
  void Add(const RatioSums& other) {
    for (size_t i = 0; i < kRatios; ++i) {
      sum[i] += other.sum[i];
      count[i] += other.count[i];
    }
  }
};

/// Calls look(sums) with the sums of as many prompts as there are, drawn with replacement, `resamples` times: draws are
/// named by `seed`, so that the same input gives the same intervals. Sums: a default and Add(const Sums&).
template <class Sums, class Look>
void DrawPrompts(const std::vector<Sums>& prompts, uint64_t seed, int resamples, const Look& look) {
  for (int resample = 0; resample < resamples && !prompts.empty(); ++resample) {
    const RandomStream stream(seed, {static_cast<uint64_t>(resample)});
    Sums sums;
    for (size_t i = 0; i < prompts.size(); ++i) sums.Add(prompts[stream.Below(i, prompts.size())]);
    look(sums);
  }
}

/// Draws of every ratio, and of anything else that is looked at beside them.
template <int kRatios>
class RatioDraws {
 public:
  void Add(const RatioSums<kRatios>& sums) {
    for (size_t i = 0; i < kRatios; ++i)
      if (sums.count[i] > 0) drawn_[i].push_back(sums.sum[i] / sums.count[i]);
  }
  /// Sets each figure: its value from the sums of all prompts, its interval from the draws; nothing counted, nothing
  /// set.
  void Set(const RatioSums<kRatios>& all, const std::array<Figure*, kRatios>& figures) {
    for (size_t i = 0; i < kRatios; ++i) {
      figures[i]->n = std::llround(all.count[i]);
      if (figures[i]->n == 0) continue;
      figures[i]->value = all.sum[i] / all.count[i];
      SetInterval(std::move(drawn_[i]), *figures[i]);
    }
  }

 private:
  std::array<std::vector<double>, kRatios> drawn_;
};

}  // namespace srlm::data
