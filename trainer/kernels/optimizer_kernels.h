// The optimiser's loops over flat buffers; one call is one thread's piece.
#pragma once

#include <cstdint>

namespace srlm::trainer::kernels {

/// What one AdamW step multiplies by.
struct AdamWValues {
  float gradient_scale = 1;
  float beta1 = 0, one_minus_beta1 = 0;
  float beta2 = 0, one_minus_beta2 = 0;
  float step_size = 0;            // learning rate / (1 - beta1^t)
  float inverse_correction2 = 1;  // 1 / sqrt(1 - beta2^t)
  float epsilon = 0;
};

/// weights <- weights x decay - step_size x m / (sqrt(v) x inverse_correction2 + epsilon), m and v updated first.
void AdamWRange(const AdamWValues& values, float decay, int64_t count, const float* gradients, float* weights,
                float* first_moment, float* second_moment);

/// Sum of squares in float64.
double SumOfSquares(const float* values, int64_t count);

}  // namespace srlm::trainer::kernels
