#include "trainer/network/row_ops.h"

#include <ATen/Parallel.h>

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
  const int64_t pieces = (width + kColumns - 1) / kColumns;
  at::parallel_for(0, pieces, 1, [&](int64_t first, int64_t last) {
    kernels::RmsNormWeightBackward(rows, width, first * kColumns, std::min(last * kColumns, width), x.data_ptr<float>(),
                                   rstd.data_ptr<float>(), d_out.data_ptr<float>(), d_weight.data_ptr<float>());
  });
}

void ApplyRope(const model::RopeTable& table, std::span<const int64_t> positions, int64_t heads, bool back,
               at::Tensor& values) {
  at::parallel_for(0, values.size(0), kRows, [&](int64_t begin, int64_t end) {
    kernels::Rope(end - begin, heads, table.half, values.size(1), positions.data() + begin, table.cosine.data(),
                  table.sine.data(), back ? -1.0f : 1.0f, At(values, begin));
  });
}

void SwiGlu(const at::Tensor& gate_up, at::Tensor& out) {
  at::parallel_for(0, out.size(0), kRows, [&](int64_t begin, int64_t end) {
    kernels::SwiGlu(end - begin, out.size(1), At(gate_up, begin), At(out, begin));
  });
}

void SwiGluBackward(const at::Tensor& gate_up, const at::Tensor& d_out, at::Tensor& d_gate_up) {
  at::parallel_for(0, d_out.size(0), kRows, [&](int64_t begin, int64_t end) {
    kernels::SwiGluBackward(end - begin, d_out.size(1), At(gate_up, begin), At(d_out, begin), At(d_gate_up, begin));
  });
}

}  // namespace srlm::trainer
