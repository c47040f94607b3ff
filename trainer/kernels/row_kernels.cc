#include "trainer/kernels/row_kernels.h"

#include <cmath>

#include "trainer/kernels/simd.h"

namespace srlm::trainer::kernels {
namespace {

/// Largest of a row, in a form that vectorises.
[[gnu::always_inline]] inline float MaxOf(int64_t width, const float* __restrict row) {
  constexpr int64_t kLanes = 16;
  float lanes[kLanes];
  for (int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] = row[0];
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane)
      lanes[lane] = row[i + lane] > lanes[lane] ? row[i + lane] : lanes[lane];
  }
  float largest = lanes[0];
  for (int64_t lane = 1; lane < kLanes; ++lane) largest = lanes[lane] > largest ? lanes[lane] : largest;
  for (; i < width; ++i) largest = row[i] > largest ? row[i] : largest;
  return largest;
}

}  // namespace

SRLM_SIMD void RmsNorm(int64_t rows, int64_t width, const float* __restrict x, const float* __restrict weight,
                       float epsilon, float* __restrict out, float* __restrict rstd) {
  for (int64_t row = 0; row < rows; ++row, x += width, out += width) {
    float squares = 0;
#pragma omp simd reduction(+ : squares)
    for (int64_t i = 0; i < width; ++i) squares += x[i] * x[i];
    const float scale = 1.0f / std::sqrt(squares / static_cast<float>(width) + epsilon);
    rstd[row] = scale;
    for (int64_t i = 0; i < width; ++i) out[i] = x[i] * scale * weight[i];
  }
}

SRLM_SIMD void RmsNormAgain(int64_t rows, int64_t width, const float* __restrict x, const float* __restrict weight,
                            const float* __restrict rstd, float* __restrict out) {
  for (int64_t row = 0; row < rows; ++row, x += width, out += width) {
    const float scale = rstd[row];
    for (int64_t i = 0; i < width; ++i) out[i] = x[i] * scale * weight[i];
  }
}

SRLM_SIMD void RmsNormBackward(int64_t rows, int64_t width, const float* __restrict x, const float* __restrict weight,
                               const float* __restrict rstd, const float* __restrict d_out, float* __restrict d_x) {
  for (int64_t row = 0; row < rows; ++row, x += width, d_out += width, d_x += width) {
    float dot = 0;
#pragma omp simd reduction(+ : dot)
    for (int64_t i = 0; i < width; ++i) dot += d_out[i] * weight[i] * x[i];
    const float scale = rstd[row];
    const float back = dot * scale * scale * scale / static_cast<float>(width);
    for (int64_t i = 0; i < width; ++i) d_x[i] += d_out[i] * weight[i] * scale - x[i] * back;
  }
}

SRLM_SIMD void RmsNormWeightBackward(int64_t rows, int64_t width, int64_t begin, int64_t end, const float* __restrict x,
                                     const float* __restrict rstd, const float* __restrict d_out,
                                     float* __restrict d_weight) {
  for (int64_t row = 0; row < rows; ++row) {
    const float scale = rstd[row];
    const float* x_row = x + row * width;
    const float* d_row = d_out + row * width;
    for (int64_t i = begin; i < end; ++i) d_weight[i] += d_row[i] * x_row[i] * scale;
  }
}

SRLM_SIMD void Rope(int64_t rows, int64_t heads, int64_t half, int64_t stride, const int64_t* __restrict positions,
                    const float* __restrict cosine, const float* __restrict sine, float direction,
                    float* __restrict values) {
  for (int64_t row = 0; row < rows; ++row) {
    const float* c = cosine + positions[row] * half;
    const float* s = sine + positions[row] * half;
    for (int64_t head = 0; head < heads; ++head) {
      float* first = values + row * stride + head * 2 * half;
      float* second = first + half;
      for (int64_t i = 0; i < half; ++i) {
        const float a = first[i], b = second[i], sin = s[i] * direction;
        first[i] = a * c[i] - b * sin;
        second[i] = b * c[i] + a * sin;
      }
    }
  }
}

namespace {

/// What a gate is through the sigmoid of, and its slope: silu(x) = x * sigmoid(x), gelu's tanh form is x * sigmoid(2 z)
/// with z = sqrt(2 / pi) * (x + 0.044715 x^3).
struct Silu {
  [[gnu::always_inline]] static float Argument(float x) { return x; }
  [[gnu::always_inline]] static float Slope(float) { return 1.0f; }
};
struct GeluTanh {
  static constexpr float kTwice = 1.5957691216057308f;  // 2 sqrt(2 / pi)
  [[gnu::always_inline]] static float Argument(float x) { return kTwice * (x + 0.044715f * x * x * x); }
  [[gnu::always_inline]] static float Slope(float x) { return kTwice * (1.0f + 0.134145f * x * x); }
};

template <class Gate>
[[gnu::always_inline]] inline void Gated(int64_t rows, int64_t width, const float* __restrict gate_up,
                                         float* __restrict out) {
  for (int64_t row = 0; row < rows; ++row, gate_up += 2 * width, out += width) {
    const float* up = gate_up + width;
    for (int64_t i = 0; i < width; ++i) out[i] = gate_up[i] / (1.0f + FastExp(-Gate::Argument(gate_up[i]))) * up[i];
  }
}

template <class Gate>
[[gnu::always_inline]] inline void GatedBackward(int64_t rows, int64_t width, const float* __restrict gate_up,
                                                 const float* __restrict d_out, float* __restrict d_gate_up) {
  for (int64_t row = 0; row < rows; ++row, gate_up += 2 * width, d_out += width, d_gate_up += 2 * width) {
    const float* up = gate_up + width;
    float* d_up = d_gate_up + width;
    for (int64_t i = 0; i < width; ++i) {
      const float gate = gate_up[i];
      const float sigmoid = 1.0f / (1.0f + FastExp(-Gate::Argument(gate)));
      const float gated = gate * sigmoid;
      d_gate_up[i] = d_out[i] * up[i] * (sigmoid + gated * (1.0f - sigmoid) * Gate::Slope(gate));
      d_up[i] = d_out[i] * gated;
    }
  }
}

}  // namespace

SRLM_SIMD void SwiGlu(int64_t rows, int64_t width, const float* __restrict gate_up, float* __restrict out) {
  Gated<Silu>(rows, width, gate_up, out);
}

SRLM_SIMD void GeGlu(int64_t rows, int64_t width, const float* __restrict gate_up, float* __restrict out) {
  Gated<GeluTanh>(rows, width, gate_up, out);
}

SRLM_SIMD void SwiGluBackward(int64_t rows, int64_t width, const float* __restrict gate_up,
                              const float* __restrict d_out, float* __restrict d_gate_up) {
  GatedBackward<Silu>(rows, width, gate_up, d_out, d_gate_up);
}

SRLM_SIMD void GeGluBackward(int64_t rows, int64_t width, const float* __restrict gate_up,
                             const float* __restrict d_out, float* __restrict d_gate_up) {
  GatedBackward<GeluTanh>(rows, width, gate_up, d_out, d_gate_up);
}

SRLM_SIMD float SoftmaxRow(int64_t width, int64_t first, int64_t last, float* __restrict row) {
  const float largest = MaxOf(last - first, row + first);
  float sum = 0;
  for (int64_t i = 0; i < first; ++i) row[i] = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = first; i < last; ++i) {
    row[i] = FastExp(row[i] - largest);
    sum += row[i];
  }
  const float scale = 1.0f / sum;
  for (int64_t i = first; i < last; ++i) row[i] *= scale;
  for (int64_t i = last; i < width; ++i) row[i] = 0;
  return largest + std::log(sum);
}

SRLM_SIMD void ExpRow(int64_t width, int64_t first, int64_t last, float lse, float* __restrict row) {
  for (int64_t i = 0; i < first; ++i) row[i] = 0;
  for (int64_t i = first; i < last; ++i) row[i] = FastExp(row[i] - lse);
  for (int64_t i = last; i < width; ++i) row[i] = 0;
}

SRLM_SIMD void SoftmaxBackwardRow(int64_t width, const float* __restrict probability, float shift, float scale,
                                  float* __restrict d_row) {
  for (int64_t i = 0; i < width; ++i) d_row[i] = probability[i] * (d_row[i] - shift) * scale;
}

SRLM_SIMD double LogSumExpRow(int64_t width, const float* __restrict row) {
  constexpr int64_t kPiece = 4096;  // summed in float32, the pieces in float64
  const float largest = MaxOf(width, row);
  double total = 0;
  for (int64_t begin = 0; begin < width; begin += kPiece) {
    const int64_t end = begin + kPiece < width ? begin + kPiece : width;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = begin; i < end; ++i) sum += FastExp(row[i] - largest);
    total += static_cast<double>(sum);
  }
  return static_cast<double>(largest) + std::log(total);
}

SRLM_SIMD void LogSoftmaxBackwardRow(int64_t width, float lse, float factor, float* __restrict row) {
  for (int64_t i = 0; i < width; ++i) row[i] = -factor * FastExp(row[i] - lse);
}

SRLM_SIMD float Dot(int64_t width, const float* __restrict a, const float* __restrict b) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < width; ++i) sum += a[i] * b[i];
  return sum;
}

SRLM_SIMD void AddRow(int64_t width, const float* __restrict from, float factor, float* __restrict to) {
  for (int64_t i = 0; i < width; ++i) to[i] += from[i] * factor;
}

}  // namespace srlm::trainer::kernels
