#include "trainer/kernels/optimizer_kernels.h"

#include <cmath>

#include "trainer/kernels/simd.h"

namespace srlm::trainer::kernels {

SRLM_SIMD void AdamWRange(const AdamWValues& values, float decay, int64_t count, const float* __restrict gradients,
                          float* __restrict weights, float* __restrict first_moment, float* __restrict second_moment) {
  const AdamWValues v = values;
  for (int64_t i = 0; i < count; ++i) {
    const float gradient = gradients[i] * v.gradient_scale;
    const float first = first_moment[i] * v.beta1 + gradient * v.one_minus_beta1;
    const float second = second_moment[i] * v.beta2 + gradient * gradient * v.one_minus_beta2;
    first_moment[i] = first;
    second_moment[i] = second;
    weights[i] =
        weights[i] * decay - v.step_size * first / (__builtin_sqrtf(second) * v.inverse_correction2 + v.epsilon);
  }
}

SRLM_SIMD double SumOfSquares(const float* __restrict values, int64_t count) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  return sum;
}

}  // namespace srlm::trainer::kernels
