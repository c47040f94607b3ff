#include "trainer/network/row_ops.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "common/base/check.h"
#include "trainer/kernels/row_kernels.h"

namespace srlm::trainer {
namespace {

constexpr int64_t kRows = 8;      // rows a task takes at least
constexpr int64_t kColumns = 64;  // columns a task of a sum over rows takes

float* At(const at::Tensor& matrix, int64_t row) { return matrix.data_ptr<float>() + row * matrix.size(-1); }

}  // namespace

void RmsNorm(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::Tensor& out, at::Tensor& rstd) {
  at::parallel_for(0, x.size(0), kRows, [&](int64_t begin, int64_t end) {
    kernels::RmsNorm(end - begin, x.size(1), At(x, begin), weight.data_ptr<float>(), static_cast<float>(epsilon),
                     At(out, begin), rstd.data_ptr<float>() + begin);
  });
}

void RmsNormAgain(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& rstd, at::Tensor& out) {
  at::parallel_for(0, x.size(0), kRows, [&](int64_t begin, int64_t end) {
    kernels::RmsNormAgain(end - begin, x.size(1), At(x, begin), weight.data_ptr<float>(),
                          rstd.data_ptr<float>() + begin, At(out, begin));
  });
}

void RmsNormBackward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& rstd, const at::Tensor& d_out,
                     at::Tensor& d_x, at::Tensor d_weight) {
  const int64_t rows = x.size(0), width = x.size(1);
  at::parallel_for(0, rows, kRows, [&](int64_t begin, int64_t end) {
    kernels::RmsNormBackward(end - begin, width, At(x, begin), weight.data_ptr<float>(), rstd.data_ptr<float>() + begin,
                             At(d_out, begin), At(d_x, begin));
  });
  if (!d_weight.defined()) return;
  const int64_t pieces = (width + kColumns - 1) / kColumns;
  at::parallel_for(0, pieces, 1, [&](int64_t first, int64_t last) {
    kernels::RmsNormWeightBackward(rows, width, first * kColumns, std::min(last * kColumns, width), x.data_ptr<float>(),
                                   rstd.data_ptr<float>(), d_out.data_ptr<float>(), d_weight.data_ptr<float>());
  });
}

at::Tensor NormFactor(const model::ModelConfig& config, const at::Tensor& parameter) {
  return config.norms_add_one ? parameter + 1 : parameter;
}

void NormHeads(const HeadShape& shape, const at::Tensor& q_factor, const at::Tensor& k_factor, double epsilon,
               at::Tensor& qkv, at::Tensor& raw, at::Tensor& rstd) {
  const int64_t dim = shape.head_dim;
  at::parallel_for(0, qkv.size(0), kRows, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      float *heads = At(qkv, row), *kept = At(raw, row), *scales = At(rstd, row);
      std::copy_n(heads, raw.size(1), kept);
      kernels::RmsNorm(shape.heads, dim, kept, q_factor.data_ptr<float>(), static_cast<float>(epsilon), heads, scales);
      kernels::RmsNorm(shape.kv_heads, dim, kept + shape.query_size(), k_factor.data_ptr<float>(),
                       static_cast<float>(epsilon), heads + shape.query_size(), scales + shape.heads);
    }
  });
}

namespace {

/// d_factor += the gradient through the norms of `heads` heads that stand at `at` of each row, `rstd_at` of rstd's.
void HeadFactorBackward(int64_t heads, int64_t dim, int64_t at, int64_t rstd_at, const at::Tensor& raw,
                        const at::Tensor& rstd, const at::Tensor& d_qkv, at::Tensor& d_factor) {
  if (!d_factor.defined()) return;
  at::parallel_for(0, (dim + kColumns - 1) / kColumns, 1, [&](int64_t first, int64_t last) {
    for (int64_t row = 0; row < raw.size(0); ++row) {
      kernels::RmsNormWeightBackward(heads, dim, first * kColumns, std::min(last * kColumns, dim), At(raw, row) + at,
                                     At(rstd, row) + rstd_at, At(d_qkv, row) + at, d_factor.data_ptr<float>());
    }
  });
}

}  // namespace

void NormHeadsBackward(const HeadShape& shape, const at::Tensor& q_factor, const at::Tensor& k_factor,
                       const at::Tensor& raw, const at::Tensor& rstd, at::Tensor& d_qkv, at::Tensor d_q,
                       at::Tensor d_k) {
  const int64_t dim = shape.head_dim, keys_at = shape.query_size();
  HeadFactorBackward(shape.heads, dim, 0, 0, raw, rstd, d_qkv, d_q);
  HeadFactorBackward(shape.kv_heads, dim, keys_at, shape.heads, raw, rstd, d_qkv, d_k);
  at::parallel_for(0, raw.size(0), kRows, [&](int64_t begin, int64_t end) {
    std::vector<float> d_normed(static_cast<size_t>(raw.size(1)));
    for (int64_t row = begin; row < end; ++row) {
      float *d_heads = At(d_qkv, row), *kept = At(raw, row), *scales = At(rstd, row);
      std::copy_n(d_heads, raw.size(1), d_normed.data());
      std::fill_n(d_heads, raw.size(1), 0.0f);
      kernels::RmsNormBackward(shape.heads, dim, kept, q_factor.data_ptr<float>(), scales, d_normed.data(), d_heads);
      kernels::RmsNormBackward(shape.kv_heads, dim, kept + keys_at, k_factor.data_ptr<float>(), scales + shape.heads,
                               d_normed.data() + keys_at, d_heads + keys_at);
    }
  });
}

void ApplyRope(const model::RopeTable& table, std::span<const int64_t> positions, int64_t heads, bool back,
               at::Tensor& values) {
  at::parallel_for(0, values.size(0), kRows, [&](int64_t begin, int64_t end) {
    kernels::Rope(end - begin, heads, table.half, values.size(1), positions.data() + begin, table.cosine.data(),
                  table.sine.data(), back ? -1.0f : 1.0f, At(values, begin));
  });
}

void GatedUnit(model::Activation activation, const at::Tensor& gate_up, at::Tensor& out) {
  const auto kernel = activation == model::Activation::kSilu ? kernels::SwiGlu : kernels::GeGlu;
  at::parallel_for(0, out.size(0), kRows, [&](int64_t begin, int64_t end) {
    kernel(end - begin, out.size(1), At(gate_up, begin), At(out, begin));
  });
}

void GatedUnitBackward(model::Activation activation, const at::Tensor& gate_up, const at::Tensor& d_out,
                       at::Tensor& d_gate_up) {
  const auto kernel = activation == model::Activation::kSilu ? kernels::SwiGluBackward : kernels::GeGluBackward;
  at::parallel_for(0, d_out.size(0), kRows, [&](int64_t begin, int64_t end) {
    kernel(end - begin, d_out.size(1), At(gate_up, begin), At(d_out, begin), At(d_gate_up, begin));
  });
}

}  // namespace srlm::trainer
