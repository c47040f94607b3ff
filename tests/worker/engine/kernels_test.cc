// Each instruction set's kernels against plain loops in double precision.
#include "worker/engine/kernels/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "worker/engine/arithmetic.h"

namespace srlm::worker {
namespace {

std::vector<float> Values(uint64_t seed, int64_t count, float scale = 1.0f) {
  const RandomStream stream(seed, {});
  std::vector<float> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) values[i] = scale * static_cast<float>(2 * stream.Uniform(i) - 1);
  return values;
}

std::vector<const KernelTable*> Tables() {
  std::vector<const KernelTable*> tables = {&PortableKernels()};
  const std::string best = SelectKernels().name;
  if (best == "avx2" || best == "avx512") tables.push_back(Avx2Kernels());
  if (best == "avx512") tables.push_back(Avx512Kernels());
  return tables;
}

struct Packed {
  std::vector<float> plain, packed;
};
Packed Matrix(const KernelTable& kernels, uint64_t seed, int64_t n, int64_t k) {
  Packed matrix{Values(seed, n * k),
                std::vector<float>(static_cast<size_t>(PackedElements(n, k, kernels.panel_columns)))};
  PackRows(matrix.plain.data(), 0, n, k, kernels.panel_columns, matrix.packed.data());
  return matrix;
}

TEST(Kernels, LinearEqualsThePlainProductForEveryNumberOfRows) {
  constexpr int64_t kN = 75, kK = 96;  // the last panel is not full
  for (const KernelTable* kernels : Tables()) {
    const Packed w = Matrix(*kernels, 1, kN, kK);
    const int64_t panels = (kN + kernels->panel_columns - 1) / kernels->panel_columns;
    for (int64_t m = 1; m <= 26; ++m) {
      const auto a = Values(2, m * kK);
      auto out = Values(3, m * kN);
      const auto before = out;
      kernels->linear(a.data(), kK, w.packed.data(), kK, kN, out.data(), kN, m, 0, panels, Store::kAdd);
      for (int64_t r = 0; r < m; ++r) {
        for (int64_t c = 0; c < kN; ++c) {
          double sum = before[static_cast<size_t>(r * kN + c)];
          for (int64_t i = 0; i < kK; ++i) {
            sum += double{a[static_cast<size_t>(r * kK + i)]} * w.plain[static_cast<size_t>(c * kK + i)];
          }
          ASSERT_NEAR(out[static_cast<size_t>(r * kN + c)], sum, 2e-5) << kernels->name << " rows " << m;
        }
      }
    }
  }
}

TEST(Kernels, ARowOfLinearDoesNotDependOnTheRowsBesideIt) {
  constexpr int64_t kN = 64, kK = 200, kM = 31;
  for (const KernelTable* kernels : Tables()) {
    const Packed w = Matrix(*kernels, 4, kN, kK);
    const int64_t panels = (kN + kernels->panel_columns - 1) / kernels->panel_columns;
    const auto a = Values(5, kM * kK);
    std::vector<float> all(kM * kN), one(kN);
    kernels->linear(a.data(), kK, w.packed.data(), kK, kN, all.data(), kN, kM, 0, panels, Store::kSet);
    for (int64_t r = 0; r < kM; ++r) {
      kernels->linear(a.data() + r * kK, kK, w.packed.data(), kK, kN, one.data(), kN, 1, 0, panels, Store::kSet);
      for (int64_t c = 0; c < kN; ++c) ASSERT_EQ(all[static_cast<size_t>(r * kN + c)], one[static_cast<size_t>(c)]);
    }
  }
}

TEST(Kernels, UnpackingARowGivesWhatWasPacked) {
  const KernelTable& kernels = SelectKernels();
  const Packed w = Matrix(kernels, 6, 70, 33);
  std::vector<float> row(33);
  for (int64_t n = 0; n < 70; ++n) {
    UnpackRow(w.packed.data(), n, 33, kernels.panel_columns, row.data());
    for (size_t i = 0; i < 33; ++i) ASSERT_EQ(row[i], w.plain[static_cast<size_t>(n) * 33 + i]);
  }
}

TEST(Kernels, RowOperationsEqualTheirFormulas) {
  for (const KernelTable* kernels : Tables()) {
    for (const int64_t size : {5, 16, 37, 576}) {
      const auto x = Values(7, size, 4), y = Values(8, size, 2);
      std::vector<float> out(static_cast<size_t>(size));
      double squares = 0, largest = -1e9, sum = 0;
      for (const float value : x) squares += double{value} * value, largest = std::max<double>(largest, value);
      kernels->rms_norm(x.data(), y.data(), 1e-5f, size, out.data());
      for (size_t i = 0; i < out.size(); ++i) {
        ASSERT_NEAR(out[i], y[i] * x[i] / std::sqrt(squares / static_cast<double>(size) + 1e-5), 1e-5);
      }
      kernels->silu_multiply(x.data(), y.data(), size, out.data());
      for (size_t i = 0; i < out.size(); ++i) ASSERT_NEAR(out[i], x[i] / (1 + std::exp(-double{x[i]})) * y[i], 1e-5);
      kernels->gelu_multiply(x.data(), y.data(), size, out.data());
      for (size_t i = 0; i < out.size(); ++i) {
        const double z = std::sqrt(2 / std::numbers::pi) * (x[i] + 0.044715 * std::pow(double{x[i]}, 3));
        ASSERT_NEAR(out[i], 0.5 * x[i] * (1 + std::tanh(z)) * y[i], 1e-5);
      }
      ASSERT_EQ(kernels->maximum(x.data(), size), static_cast<float>(largest));
      const float total = kernels->exponentials(x.data(), size, static_cast<float>(largest), 1.5f, out.data());
      for (size_t i = 0; i < out.size(); ++i) {
        const double wanted = std::exp((double{x[i]} - largest) * 1.5);
        sum += wanted;
        ASSERT_NEAR(out[i], wanted, 1e-6);
      }
      ASSERT_NEAR(total, sum, 1e-5 * sum);
    }
  }
}

TEST(Kernels, ExponentialsOfVerySmallValuesAreZeroAndNeverNan) {
  for (const KernelTable* kernels : Tables()) {
    const std::vector<float> x = {-1e30f, -1000, -88, -87.5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    std::vector<float> out(16);
    kernels->exponentials(x.data(), 16, 0, 1, out.data());
    EXPECT_EQ(out[0], 0);
    EXPECT_EQ(out[1], 0);
    EXPECT_EQ(out[4], 1);
  }
}

/// Keys and values of one head in pages out of order, and the same plainly.
struct AttentionCase {
  static constexpr int kPage = 16, kGroup = 3;
  int dim, padded, context;
  std::vector<int> pages;
  std::vector<float> keys, values, plain_keys, plain_values;
  AttentionCase(int head_dim, int tokens) : dim(head_dim), padded((head_dim + 15) / 16 * 16), context(tokens) {
    const int count = (tokens + kPage - 1) / kPage;
    for (int i = 0; i < count; ++i) pages.push_back((i * 3 + 1) % (3 * count));
    plain_keys = Values(20, tokens * dim);
    plain_values = Values(21, tokens * dim);
    keys.resize(static_cast<size_t>(3 * count * dim * kPage));
    values.resize(static_cast<size_t>(3 * count * padded * kPage));
    for (int t = 0; t < tokens; ++t) {
      for (int d = 0; d < dim; ++d) {
        const auto page = static_cast<size_t>(pages[static_cast<size_t>(t / kPage)]);
        keys[(page * dim + d) * kPage + t % kPage] = plain_keys[static_cast<size_t>(t * dim + d)];
        values[(page * kPage + t % kPage) * padded + d] = plain_values[static_cast<size_t>(t * dim + d)];
      }
    }
  }
};

/// Attention of queries that see the last `window` positions (0: all) is softmax of scores times values.
void CheckAttention(const KernelTable& kernels, int dim, int tokens, int window) {
  const AttentionCase c(dim, 53);
  const int stride = AttentionCase::kGroup * dim;
  const auto queries = Values(22, tokens * stride);
  std::vector<float> out(queries.size()), scratch(kAttentionTileRows * 64);
  const AttentionTask task{queries.data(),
                           stride,
                           out.data(),
                           stride,
                           tokens,
                           c.context - tokens,
                           AttentionCase::kGroup,
                           dim,
                           c.padded,
                           c.pages.data(),
                           AttentionCase::kPage,
                           c.keys.data(),
                           c.values.data(),
                           dim * AttentionCase::kPage,
                           c.padded * AttentionCase::kPage,
                           0.3f,
                           window,
                           scratch.data()};
  kernels.attention(task);
  for (int row = 0; row < tokens * AttentionCase::kGroup; ++row) {
    const int end = c.context - tokens + row / AttentionCase::kGroup + 1;
    const int begin = window > 0 ? std::max(0, end - window) : 0;
    std::vector<double> weights;
    double total = 0;
    for (int t = begin; t < end; ++t) {
      double score = 0;
      for (int d = 0; d < dim; ++d) {
        score += double{queries[static_cast<size_t>(row * dim + d)]} * c.plain_keys[static_cast<size_t>(t * dim + d)];
      }
      weights.push_back(std::exp(score * 0.3));
      total += weights.back();
    }
    for (int d = 0; d < dim; ++d) {
      double wanted = 0;
      for (int t = begin; t < end; ++t) {
        wanted += weights[static_cast<size_t>(t - begin)] / total * c.plain_values[static_cast<size_t>(t * dim + d)];
      }
      ASSERT_NEAR(out[static_cast<size_t>(row * dim + d)], wanted, 1e-5)
          << kernels.name << " dim " << dim << " tokens " << tokens << " window " << window << " row " << row;
    }
  }
}

TEST(Kernels, AttentionEqualsSoftmaxOfScoresTimesValues) {
  for (const KernelTable* kernels : Tables()) {
    for (const int dim : {8, 16, 24, 64}) {
      for (const int tokens : {1, 2, 5, 8}) {
        for (const int window : {0, 1, 7, 16, 40, 100}) CheckAttention(*kernels, dim, tokens, window);
      }
    }
  }
}

TEST(Kernels, Avx2AndAvx512GiveTheSameBits) {
  const std::string best = SelectKernels().name;
  EXPECT_EQ(ArithmeticId(SelectKernels()), ArithmeticId(SelectKernels())) << "and the same each time";
#if defined(__x86_64__)
  if (best == "avx512") {
    EXPECT_EQ(ArithmeticId(*Avx2Kernels()), ArithmeticId(*Avx512Kernels()));
  }
  if (best != "portable") {
    EXPECT_NE(ArithmeticId(PortableKernels()), ArithmeticId(SelectKernels()));
  }
#endif
}

}  // namespace
}  // namespace srlm::worker
