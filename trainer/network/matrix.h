// Row-major float matrices over memory that somebody else owns, and products of them.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace srlm::trainer {

/// `values` [rows, columns], the next row `stride` elements on.
inline at::Tensor MatrixAt(float* values, int64_t rows, int64_t columns, int64_t stride) {
  return at::from_blob(values, {rows, columns}, {stride, 1}, at::TensorOptions().dtype(at::kFloat));
}
inline at::Tensor MatrixAt(float* values, int64_t rows, int64_t columns) {
  return MatrixAt(values, rows, columns, columns);
}

/// out = a b x alpha, or out += a b x alpha.
inline void Multiply(at::Tensor out, const at::Tensor& a, const at::Tensor& b, double alpha = 1) {
  at::addmm_out(out, out, a, b, /*beta=*/0, alpha);
}
inline void MultiplyAdd(at::Tensor out, const at::Tensor& a, const at::Tensor& b, double alpha = 1) {
  at::addmm_out(out, out, a, b, /*beta=*/1, alpha);
}

/// Memory that is taken once and used again: a matrix of up to as many elements as the largest asked for so far.
class Workspace {
 public:
  /// A packed matrix [rows, columns] of undefined content; it ends what this workspace gave before.
  at::Tensor Get(int64_t rows, int64_t columns) {
    if (rows * columns > capacity_) {
      capacity_ = rows * columns;
      values_ = at::Tensor();  // given back before the larger one is taken
      values_ = at::empty({capacity_}, at::TensorOptions().dtype(at::kFloat));
    }
    return values_.narrow(0, 0, rows * columns).view({rows, columns});
  }

 private:
  int64_t capacity_ = 0;
  at::Tensor values_;
};

}  // namespace srlm::trainer
