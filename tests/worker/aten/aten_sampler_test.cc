#include "worker/aten/aten_sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/base/random.h"
#include "worker/engine/kernels/kernels.h"
#include "worker/engine/sampler.h"

namespace srlm::worker {
namespace {

constexpr int kRows = 40, kVocabulary = 1003;

/// Rows of logits of many shapes: flat, peaked, with ties.
at::Tensor SomeLogits() {
  const RandomStream stream(7, {1});
  at::Tensor logits = at::empty({kRows, kVocabulary}, at::kFloat);
  float* values = logits.data_ptr<float>();
  for (int row = 0; row < kRows; ++row) {
    for (int i = 0; i < kVocabulary; ++i) {
      const double draw = stream.Uniform(static_cast<uint64_t>(row * kVocabulary + i));
      const double value = draw * (1 + row);
      values[row * kVocabulary + i] = static_cast<float>(row % 3 == 0 ? std::round(value) : value);
    }
  }
  return logits;
}

TEST(AtenSampler, DrawsWhatTheProcessorsSamplerDraws) {
  const at::Tensor logits = SomeLogits();
  const RandomStream stream(8, {2});
  std::vector<SampleRow> rows;
  std::vector<ScoreRow> scores;
  for (int i = 0; i < 400; ++i) {
    const auto at = static_cast<uint64_t>(i);
    SampleRow row;
    row.logit_row = static_cast<int>(stream.Below(at, kRows));
    row.temperature = std::vector{0.0, 0.7, 1.0, 1.5}[at % 4];
    row.top_p = std::vector{1.0, 0.9, 0.5, 0.05}[(at / 4) % 4];
    row.uniform = stream.Uniform(1000 + at);
    rows.push_back(row);
    scores.push_back(
        {static_cast<int>(stream.Below(2000 + at, kRows)), static_cast<int>(stream.Below(3000 + at, kVocabulary))});
  }
  std::vector<SampledToken> drawn(rows.size());
  std::vector<float> scored(scores.size());
  for (const int first : {0, 13, 26}) {  // chunks: each reads its own rows alone
    const int count = std::min(13, kRows - first) + (first == 26 ? 1 : 0);
    ASSERT_TRUE(ReadLogits(logits.narrow(0, first, count), first, rows, scores, nullptr, drawn, scored).ok());
  }
  SamplerScratch scratch;
  const KernelTable& kernels = SelectKernels();
  for (size_t i = 0; i < rows.size(); ++i) {
    const float* const row = logits.data_ptr<float>() + rows[i].logit_row * kVocabulary;
    const LogitSummary summary = Summarize(kernels, row, kVocabulary);
    const SampledToken expected = SampleToken(kernels, row, kVocabulary, summary, rows[i], scratch);
    EXPECT_EQ(drawn[i].token, expected.token) << i;
    EXPECT_NEAR(drawn[i].logprob, expected.logprob, 1e-4) << i;
    const float* const scored_row = logits.data_ptr<float>() + scores[i].logit_row * kVocabulary;
    EXPECT_NEAR(scored[i], scored_row[scores[i].token] - Summarize(kernels, scored_row, kVocabulary).log_sum, 1e-4);
  }
}

TEST(AtenSampler, LogitsThatAreNoNumbersGiveNoToken) {
  at::Tensor logits = SomeLogits().narrow(0, 0, 3).clone();
  logits[0][5] = std::numeric_limits<float>::quiet_NaN();
  logits[1][5] = std::numeric_limits<float>::infinity();
  std::vector<SampleRow> rows;
  for (int row = 0; row < 3; ++row) {
    for (const double temperature : {0.0, 1.0}) rows.push_back({row, temperature, 0.9, 0.5});
  }
  std::vector<SampledToken> drawn(rows.size());
  std::vector<float> scored(1);
  ASSERT_TRUE(ReadLogits(logits, 0, rows, std::vector<ScoreRow>{{0, 7}}, nullptr, drawn, scored).ok());
  for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(drawn[i].token == -1, rows[i].logit_row < 2) << i;
  EXPECT_FALSE(std::isfinite(scored[0]));
}

}  // namespace
}  // namespace srlm::worker
