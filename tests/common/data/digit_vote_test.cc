#include "common/data/digit_vote.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "common/base/random.h"

namespace srlm::data {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

std::array<double, 6> Shares(const std::vector<double>& logprobs, double temperature) {
  constexpr int kDraws = 200000;
  const RandomStream stream(7, {});
  std::array<double, 6> shares{};
  for (uint64_t i = 0; i < kDraws; ++i)
    shares[static_cast<size_t>(DrawDigit(logprobs, temperature, stream.Uniform(i)))] += 1.0 / kDraws;
  return shares;
}

TEST(DigitVote, DigitsComeAsOftenAsTheirProbabilitiesSayWhateverOtherTokensHave) {
  const std::vector<double> probabilities = {0.05, 0.3, 0.1, 0.2, 0.25, 0.1};
  std::vector<double> logprobs;  // of a model that would rather say something else
  for (const double p : probabilities) logprobs.push_back(std::log(p * 1e-3));
  const auto shares = Shares(logprobs, 1);
  for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(shares[i], probabilities[i], 0.005) << i;  // 5 standard errors
}

TEST(DigitVote, TemperatureSharpensAndFlattens) {
  const std::vector<double> logprobs = {std::log(0.2), std::log(0.1), std::log(0.4), kNever, kNever, std::log(0.3)};
  for (const double temperature : {0.5, 2.0}) {
    std::array<double, 6> expected{};
    double total = 0;
    for (size_t i = 0; i < 6; ++i) total += expected[i] = std::pow(std::exp(logprobs[i]), 1 / temperature);
    const auto shares = Shares(logprobs, temperature);
    for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(shares[i], expected[i] / total, 0.006) << i << " at " << temperature;
  }
}

TEST(DigitVote, TemperatureZeroTakesTheMostLikelyAndOfEqualOnesTheLowest) {
  EXPECT_EQ(DrawDigit(std::vector<double>{-3, -1, -2, -1, -9, -4}, 0, 0.99), 1);
}

TEST(DigitVote, TheEndsOfTheIntervalAreDigitsThatCanBe) {
  const std::vector<double> logprobs = {kNever, -1, -2, -1, kNever, kNever};
  EXPECT_EQ(DrawDigit(logprobs, 1, 0), 1);
  EXPECT_EQ(DrawDigit(logprobs, 1, std::nextafter(1.0, 0.0)), 3);
  EXPECT_EQ(DrawDigit({std::vector<double>{-500, -5000, -900, -900, -900, -900}}, 0.01, 0.5), 0);
}

}  // namespace
}  // namespace srlm::data
