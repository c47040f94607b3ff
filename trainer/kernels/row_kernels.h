// Element-wise parts of a decoder over rows [rows, width] of floats; one call is one thread's rows. Row strides are in
// elements; unless named, rows are packed.
#pragma once

#include <cstdint>

namespace srlm::trainer::kernels {

/// RMSNorm (Zhang and Sennrich, arXiv 1910.07467): out = x * rstd * weight, rstd = 1 / sqrt(mean(x^2) + epsilon).
void RmsNorm(int64_t rows, int64_t width, const float* x, const float* weight, float epsilon, float* out, float* rstd);

/// The same with rstd known.
void RmsNormAgain(int64_t rows, int64_t width, const float* x, const float* weight, const float* rstd, float* out);

/// d_x += the gradient through RMSNorm of d_out.
void RmsNormBackward(int64_t rows, int64_t width, const float* x, const float* weight, const float* rstd,
                     const float* d_out, float* d_x);

/// d_weight[begin, end) += sum over all rows of d_out * x * rstd, for those columns only.
void RmsNormWeightBackward(int64_t rows, int64_t width, int64_t begin, int64_t end, const float* x, const float* rstd,
                           const float* d_out, float* d_weight);

/// Turns the pairs (i, i + half) of `heads` heads in place; a row's heads stand one after the other, `stride` apart
/// from the next row's. cosine and sine: [positions, half]. `direction` 1 turns, -1 turns back (the gradient).
void Rope(int64_t rows, int64_t heads, int64_t half, int64_t stride, const int64_t* positions, const float* cosine,
          const float* sine, float direction, float* values);

/// SwiGLU (Shazeer, arXiv 2002.05202): gate_up [rows, 2 width] holds gate, then up; out = silu(gate) * up [rows,
/// width]. GeGlu: with gelu in its tanh form.
void SwiGlu(int64_t rows, int64_t width, const float* gate_up, float* out);
void GeGlu(int64_t rows, int64_t width, const float* gate_up, float* out);

/// gate_up's gradient [rows, 2 width] from that of the output [rows, width].
void SwiGluBackward(int64_t rows, int64_t width, const float* gate_up, const float* d_out, float* d_gate_up);
void GeGluBackward(int64_t rows, int64_t width, const float* gate_up, const float* d_out, float* d_gate_up);

/// Softmax in place over [first, last) of a row's `width` values, zeros beside them; returns log(sum(exp)).
float SoftmaxRow(int64_t width, int64_t first, int64_t last, float* row);

/// row[first, last) = exp(row - lse), zeros beside them up to `width`.
void ExpRow(int64_t width, int64_t first, int64_t last, float lse, float* row);

/// d_row = probability * (d_row - shift) * scale, over `width` values.
void SoftmaxBackwardRow(int64_t width, const float* probability, float shift, float scale, float* d_row);

/// log(sum(exp)) of a row: in pieces of float32, the pieces added up in float64.
double LogSumExpRow(int64_t width, const float* row);

/// row = -factor * exp(row - lse): the gradient of factor * log-probability through log-softmax, without its target.
void LogSoftmaxBackwardRow(int64_t width, float lse, float factor, float* row);

/// Sum of a * b.
float Dot(int64_t width, const float* a, const float* b);

/// to += from * factor.
void AddRow(int64_t width, const float* from, float factor, float* to);

}  // namespace srlm::trainer::kernels
