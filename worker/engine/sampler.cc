#include "worker/engine/sampler.h"

#include <algorithm>
#include <cmath>

namespace srlm::worker {
namespace {

int FirstOf(const float* logits, int64_t vocabulary, float value) {
  for (int64_t i = 0; i < vocabulary; ++i) {
    if (logits[i] == value) return static_cast<int>(i);
  }
  return -1;
}

/// Tokens whose probability is at least `least` times the largest one's, with their summed mass.
double Collect(const std::vector<float>& weights, int64_t vocabulary, float least, std::vector<int>& candidates) {
  candidates.clear();
  double mass = 0;
  for (int64_t i = 0; i < vocabulary; ++i) {
    if (weights[static_cast<size_t>(i)] < least) continue;
    candidates.push_back(static_cast<int>(i));
    mass += weights[static_cast<size_t>(i)];
  }
  return mass;
}

/// The token at share `uniform` of the whole mass, in order of id.
int DrawFromAll(const std::vector<float>& weights, double uniform) {
  double total = 0, below = 0;
  for (const float weight : weights) total += weight;
  int last = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) continue;
    last = static_cast<int>(i);
    below += weights[i];
    if (uniform * total < below) break;
  }
  return last;
}

}  // namespace

LogitSummary Summarize(const KernelTable& kernels, const float* logits, int64_t vocabulary) {
  LogitSummary summary;
  summary.largest = kernels.maximum(logits, vocabulary);
  const float sum = kernels.exponentials(logits, vocabulary, summary.largest, 1.0f, nullptr);
  summary.log_sum = static_cast<double>(summary.largest) + std::log(static_cast<double>(sum));
  return summary;
}

SampledToken SampleToken(const KernelTable& kernels, const float* logits, int64_t vocabulary,
                         const LogitSummary& summary, const SampleRow& row, SamplerScratch& scratch) {
  const auto result = [&](int token) {
    return SampledToken{token, static_cast<float>(logits[token] - summary.log_sum)};
  };
  if (!std::isfinite(summary.log_sum)) return {-1, 0};
  if (row.temperature <= 0) return result(FirstOf(logits, vocabulary, summary.largest));

  auto& weights = scratch.probabilities;  // relative to the largest: the most probable token has 1
  weights.resize(static_cast<size_t>(vocabulary));
  const double total = kernels.exponentials(logits, vocabulary, summary.largest,
                                            static_cast<float>(1.0 / row.temperature), weights.data());
  if (row.top_p >= 1) return result(DrawFromAll(weights, row.uniform));
  const double wanted = row.top_p * total;
  auto& candidates = scratch.candidates;
  // The nucleus is nearly always inside the tokens above 1/1000 of the largest; where it is not, look deeper.
  float least = 1e-3f;
  double mass = Collect(weights, vocabulary, least, candidates);
  while (mass < wanted && least > 0) {
    least = least > 1e-12f ? least * 1e-3f : 0.0f;
    mass = Collect(weights, vocabulary, least, candidates);
  }
  std::ranges::sort(candidates, [&](int a, int b) {
    const float wa = weights[static_cast<size_t>(a)], wb = weights[static_cast<size_t>(b)];
    return wa != wb ? wa > wb : a < b;
  });
  double nucleus = 0;
  size_t count = 0;
  while (count < candidates.size() && (count == 0 || nucleus < wanted)) {
    nucleus += weights[static_cast<size_t>(candidates[count++])];
  }
  const double target = row.uniform * nucleus;
  double below = 0;
  for (size_t i = 0; i + 1 < count; ++i) {
    below += weights[static_cast<size_t>(candidates[i])];
    if (target < below) return result(candidates[i]);
  }
  return result(candidates[count - 1]);
}

}  // namespace srlm::worker
