#include "worker/engine/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "common/base/random.h"

namespace srlm::worker {
namespace {

constexpr int64_t kVocabulary = 500;

std::vector<float> Logits(float spread) {
  const RandomStream stream(9, {});
  std::vector<float> logits(kVocabulary);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = spread * static_cast<float>(stream.Uniform(i));
  return logits;
}

SampledToken Sample(const std::vector<float>& logits, double temperature, double top_p, double uniform) {
  SamplerScratch scratch;
  const KernelTable& kernels = SelectKernels();
  return SampleToken(kernels, logits.data(), kVocabulary, Summarize(kernels, logits.data(), kVocabulary),
                     {0, temperature, top_p, uniform}, scratch);
}

/// The nucleus by a full sort: tokens in falling order with their cumulated share of the whole mass.
struct PlainNucleus {
  std::vector<int> tokens;
  std::vector<double> cumulated;  // of the nucleus' own mass, in (0, 1]
};
PlainNucleus SortAll(const std::vector<float>& logits, double temperature, double top_p) {
  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](int a, int b) { return logits[a] > logits[b]; });
  double total = 0, mass = 0;
  for (const float logit : logits) total += std::exp(logit / temperature);
  PlainNucleus nucleus;
  for (const int token : order) {
    if (!nucleus.tokens.empty() && mass >= top_p * total) break;
    mass += std::exp(logits[static_cast<size_t>(token)] / temperature);
    nucleus.tokens.push_back(token);
    nucleus.cumulated.push_back(mass);
  }
  for (double& value : nucleus.cumulated) value /= mass;
  return nucleus;
}

TEST(Sampler, TheDrawWalksTheNucleusOfAFullSort) {
  for (const float spread : {2.0f, 8.0f, 40.0f}) {
    for (const double top_p : {0.1, 0.5, 0.9, 0.999}) {
      const auto logits = Logits(spread);
      const PlainNucleus nucleus = SortAll(logits, 0.7, top_p);
      for (size_t i = 0; i < nucleus.tokens.size(); i += 1 + nucleus.tokens.size() / 40) {
        const double begin = i == 0 ? 0 : nucleus.cumulated[i - 1];
        if (nucleus.cumulated[i] - begin < 1e-4) continue;  // too narrow to hit within rounding
        const double middle = (begin + nucleus.cumulated[i]) / 2;
        EXPECT_EQ(Sample(logits, 0.7, top_p, middle).token, nucleus.tokens[i]) << spread << " " << top_p << " " << i;
      }
    }
  }
}

TEST(Sampler, GreedyTakesTheFirstLargest) {
  auto logits = Logits(3);
  logits[100] = logits[300] = 50;
  EXPECT_EQ(Sample(logits, 0, 1, 0.99).token, 100);
}

TEST(Sampler, TheRecordedLogProbabilityIsAtTemperatureOneOverTheWholeVocabulary) {
  const auto logits = Logits(6);
  double total = 0;
  for (const float logit : logits) total += std::exp(double{logit});
  const SampledToken token = Sample(logits, 0.5, 0.3, 0.4);
  EXPECT_NEAR(token.logprob, logits[static_cast<size_t>(token.token)] - std::log(total), 1e-5);
}

TEST(Sampler, TopP1WalksTheWholeVocabularyInOrderOfId) {
  const auto logits = Logits(8);
  double total = 0, below = 0;
  for (const float logit : logits) total += std::exp(logit / 0.7);
  for (size_t i = 0; i < logits.size(); ++i) {
    const double weight = std::exp(logits[i] / 0.7);
    if (weight / total > 1e-4) {
      EXPECT_EQ(Sample(logits, 0.7, 1, (below + weight / 2) / total).token, static_cast<int>(i));
    }
    below += weight;
  }
}

TEST(Sampler, LogitsThatAreNoNumbersGiveNoToken) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    for (const size_t at : {size_t{0}, size_t{7}, size_t{499}}) {
      auto logits = Logits(3);
      logits[at] = bad;
      for (const double temperature : {0.0, 0.7}) {
        EXPECT_EQ(Sample(logits, temperature, 0.9, 0.5).token, -1) << bad << " at " << at;
      }
    }
  }
}

TEST(Sampler, AnAllEqualRowCanGiveEveryToken) {
  const std::vector<float> logits(kVocabulary, 1.0f);
  EXPECT_EQ(Sample(logits, 1, 1, 0).token, 0);
  EXPECT_EQ(Sample(logits, 1, 1, 0.99999).token, static_cast<int>(kVocabulary) - 1);
}

}  // namespace
}  // namespace srlm::worker
