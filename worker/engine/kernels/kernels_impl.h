// The kernels' source, compiled once for each instruction set: the including file defines SRLM_ISA (a namespace),
// SRLM_VECTOR_FLOATS (width) and SRLM_ROWS (rows of a register tile). No inline function of a library may be used
// here: the linker could pick its copy with instructions that another processor does not have.
#include <cstdint>

#include "worker/engine/kernels/kernels.h"

namespace srlm::worker {
namespace SRLM_ISA {

constexpr int kWidth = SRLM_VECTOR_FLOATS;
constexpr int kRows = SRLM_ROWS;  // rows of a tile of Linear
constexpr int kVectors = 2;       // vectors of a tile's row
constexpr int kColumns = kWidth * kVectors;

typedef float Vector __attribute__((vector_size(kWidth * 4), aligned(4)));
typedef int32_t IntVector __attribute__((vector_size(kWidth * 4), aligned(4)));

static inline Vector Load(const float* p) { return *reinterpret_cast<const Vector*>(p); }
static inline void Save(float* p, Vector v) { *reinterpret_cast<Vector*>(p) = v; }
/// x - 0 is x for every x, so that nothing is left of it but a broadcast; x + 0 would be an addition (-0 becomes 0).
static inline Vector Broadcast(float x) { return x - Vector{}; }

static inline Vector Larger(Vector a, Vector b) { return a > b ? a : b; }

/// exp(x) to about 1 ulp for x <= 88; 0 below -87 (2^n by exponent bits, a polynomial of degree 6 on the rest).
static inline Vector Exp(Vector x) {
  constexpr float kLog2E = 1.44269504088896341f, kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  const IntVector tiny = x < -87.0f;
  x = x < -87.0f ? Broadcast(-87.0f) : x;
  x = x > 88.0f ? Broadcast(88.0f) : x;
  const Vector shifted = x * kLog2E + kRound;
  const Vector n = shifted - kRound;
  Vector r = x - n * kLn2High;
  r = r - n * kLn2Low;
  Vector p = Broadcast(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const IntVector exponent = (__builtin_convertvector(n, IntVector) + 127) << 23;
  const Vector result = p * (Vector)exponent;
  return tiny ? Vector{} : result;
}

/// Sum of a vector's lanes in a fixed order, as if it had 16 lanes whatever the width is.
static inline float SumLanes(const float* lanes) {
  float part[8];
  for (int i = 0; i < 8; ++i) part[i] = lanes[i] + lanes[i + 8];
  for (int i = 0; i < 4; ++i) part[i] += part[i + 4];
  return (part[0] + part[2]) + (part[1] + part[3]);
}

/// Sixteen running sums, added to in strips of 16 values: the same additions for every width.
struct Sum16 {
  static constexpr int kParts = 16 / kWidth;
  Vector part[kParts] = {};
  float Total() const {
    float lanes[16];
    for (int i = 0; i < kParts; ++i) Save(lanes + i * kWidth, part[i]);
    return SumLanes(lanes);
  }
};

// ---- Linear ---------------------------------------------------------------------------------------------------------

/// A tile of kTileRows rows and one panel's columns: a chain of fused multiply-adds over k for each element.
template <int kTileRows>
static inline void LinearTile(const float* a, int64_t lda, const float* panel, int64_t k, float* out, int64_t ldo,
                              int64_t columns, Store store) {
  Vector sum[kTileRows][kVectors] = {};
  for (int64_t i = 0; i < k; ++i) {
    Vector w[kVectors];
    for (int v = 0; v < kVectors; ++v) w[v] = Load(panel + i * kColumns + v * kWidth);
#pragma GCC unroll 16
    for (int r = 0; r < kTileRows; ++r) {
      const Vector x = Broadcast(a[r * lda + i]);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sum[r][v] += x * w[v];
    }
  }
  for (int r = 0; r < kTileRows; ++r) {
    float* row = out + r * ldo;
    if (columns == kColumns) {
      for (int v = 0; v < kVectors; ++v) {
        Save(row + v * kWidth, store == Store::kAdd ? Load(row + v * kWidth) + sum[r][v] : sum[r][v]);
      }
      continue;
    }
    float lanes[kColumns];
    for (int v = 0; v < kVectors; ++v) Save(lanes + v * kWidth, sum[r][v]);
    for (int64_t c = 0; c < columns; ++c) row[c] = store == Store::kAdd ? row[c] + lanes[c] : lanes[c];
  }
}

template <int kTileRows>
static void LinearRest(int64_t rows, const float* a, int64_t lda, const float* panel, int64_t k, float* out,
                       int64_t ldo, int64_t columns, Store store) {
  if constexpr (kTileRows > 0) {
    if (rows == kTileRows) return LinearTile<kTileRows>(a, lda, panel, k, out, ldo, columns, store);
    LinearRest<kTileRows - 1>(rows, a, lda, panel, k, out, ldo, columns, store);
  }
}

static void Linear(const float* a, int64_t lda, const float* packed, int64_t k, int64_t n, float* out, int64_t ldo,
                   int64_t m, int64_t panel_begin, int64_t panel_end, Store store) {
  for (int64_t p = panel_begin; p < panel_end; ++p) {
    const float* panel = packed + p * kColumns * k;
    float* panel_out = out + p * kColumns;
    const int64_t columns = n - p * kColumns < kColumns ? n - p * kColumns : kColumns;
    int64_t row = 0;
    for (; row + kRows <= m; row += kRows) {
      LinearTile<kRows>(a + row * lda, lda, panel, k, panel_out + row * ldo, ldo, columns, store);
    }
    LinearRest<kRows - 1>(m - row, a + row * lda, lda, panel, k, panel_out + row * ldo, ldo, columns, store);
  }
}

// ---- Row operations -------------------------------------------------------------------------------------------------

static void RmsNorm(const float* x, const float* weight, float epsilon, int64_t size, float* out) {
  Sum16 squares;
  int64_t i = 0;
  for (; i + 16 <= size; i += 16) {
    for (int v = 0; v < Sum16::kParts; ++v) {
      const Vector value = Load(x + i + v * kWidth);
      squares.part[v] += value * value;
    }
  }
  float total = squares.Total();
  for (; i < size; ++i) total += x[i] * x[i];
  const float scale = 1.0f / __builtin_sqrtf(total / static_cast<float>(size) + epsilon);
  int64_t j = 0;
  for (; j + kWidth <= size; j += kWidth) Save(out + j, Load(weight + j) * (Load(x + j) * scale));
  for (; j < size; ++j) out[j] = weight[j] * (x[j] * scale);
}

/// What a gate is through the sigmoid of: silu(x) = x * sigmoid(x), and gelu's tanh form is x * sigmoid(2 z) with
/// z = sqrt(2 / pi) * (x + 0.044715 x^3).
struct Silu {
  static inline Vector Argument(Vector x) { return x; }
};
struct GeluTanh {
  static inline Vector Argument(Vector x) {
    constexpr float kTwice = 1.5957691216057308f;  // 2 sqrt(2 / pi)
    return (x + x * x * x * 0.044715f) * kTwice;
  }
};

template <class Gate>
static inline Vector GateMultiplyVector(Vector gate, Vector up) {
  return gate / (Exp(-Gate::Argument(gate)) + 1.0f) * up;
}

template <class Gate>
static void GateMultiply(const float* gate, const float* up, int64_t size, float* out) {
  int64_t i = 0;
  for (; i + kWidth <= size; i += kWidth) Save(out + i, GateMultiplyVector<Gate>(Load(gate + i), Load(up + i)));
  if (i == size) return;
  float gates[kWidth] = {}, ups[kWidth] = {}, results[kWidth];
  for (int64_t j = i; j < size; ++j) gates[j - i] = gate[j], ups[j - i] = up[j];
  Save(results, GateMultiplyVector<Gate>(Load(gates), Load(ups)));
  for (int64_t j = i; j < size; ++j) out[j] = results[j - i];
}

static float Maximum(const float* x, int64_t size) {
  float best = x[0];
  int64_t i = 0;
  if (size >= kWidth) {
    Vector largest = Load(x);
    for (; i + kWidth <= size; i += kWidth) largest = Larger(largest, Load(x + i));
    float lanes[kWidth];
    Save(lanes, largest);
    for (int v = 0; v < kWidth; ++v) best = lanes[v] > best ? lanes[v] : best;
  }
  for (; i < size; ++i) best = x[i] > best ? x[i] : best;
  return best;
}

static float Exponentials(const float* x, int64_t size, float shift, float scale, float* out) {
  Sum16 sum;
  int64_t i = 0;
  for (; i + 16 <= size; i += 16) {
    for (int v = 0; v < Sum16::kParts; ++v) {
      const Vector e = Exp((Load(x + i + v * kWidth) - shift) * scale);
      if (out != nullptr) Save(out + i + v * kWidth, e);
      sum.part[v] += e;
    }
  }
  float total = sum.Total();
  for (; i < size; ++i) {
    float lanes[kWidth];
    Save(lanes, Exp(Broadcast((x[i] - shift) * scale)));
    if (out != nullptr) out[i] = lanes[0];
    total += lanes[0];
  }
  return total;
}

// ---- Attention ------------------------------------------------------------------------------------------------------

constexpr int kStripVectors = kStripTokens / kWidth;

/// Scores of kTileRows query rows against one strip of 16 positions.
template <int kTileRows>
static inline void ScoreStrip(const float* const* queries, const float* keys, int page_tokens, int head_dim,
                              float scale, float* const* scores) {
  Vector sum[kTileRows][kStripVectors] = {};
  for (int d = 0; d < head_dim; ++d) {
    Vector key[kStripVectors];
    for (int v = 0; v < kStripVectors; ++v) key[v] = Load(keys + d * page_tokens + v * kWidth);
#pragma GCC unroll 8
    for (int r = 0; r < kTileRows; ++r) {
      const Vector q = Broadcast(queries[r][d]);
      for (int v = 0; v < kStripVectors; ++v) sum[r][v] += q * key[v];
    }
  }
  for (int r = 0; r < kTileRows; ++r) {
    for (int v = 0; v < kStripVectors; ++v) Save(scores[r] + v * kWidth, sum[r][v] * scale);
  }
}

/// Values of positions [first, positions), weighted, as kTileRows rows of one 16-wide slice of the output. A page
/// begins at `first`.
template <int kTileRows>
static inline void ValueSlice(const AttentionTask& task, const float* const* weights, int first, int positions,
                              int slice, float* const* outs) {
  Vector sum[kTileRows][kStripVectors] = {};
  for (int begin = first; begin < positions; begin += task.page_tokens) {
    const float* values = task.values + task.pages[begin / task.page_tokens] * task.value_page_stride + slice;
    const int count = positions - begin < task.page_tokens ? positions - begin : task.page_tokens;
    for (int t = 0; t < count; ++t) {
      Vector value[kStripVectors];
      for (int v = 0; v < kStripVectors; ++v) value[v] = Load(values + t * task.padded_dim + v * kWidth);
#pragma GCC unroll 8
      for (int r = 0; r < kTileRows; ++r) {
        const Vector w = Broadcast(weights[r][begin + t]);
        for (int v = 0; v < kStripVectors; ++v) sum[r][v] += w * value[v];
      }
    }
  }
  const int width = task.head_dim - slice < kStripTokens ? task.head_dim - slice : kStripTokens;
  for (int r = 0; r < kTileRows; ++r) {
    if (width == kStripTokens) {
      for (int v = 0; v < kStripVectors; ++v) Save(outs[r] + slice + v * kWidth, sum[r][v]);
      continue;
    }
    float lanes[kStripTokens];
    for (int v = 0; v < kStripVectors; ++v) Save(lanes + v * kWidth, sum[r][v]);
    for (int i = 0; i < width; ++i) outs[r][slice + i] = lanes[i];
  }
}

/// Softmax of one row's scores [hidden, valid); the rest of its strips becomes 0, so that adding them changes nothing.
static void SoftmaxRow(float* scores, int hidden, int valid, int padded) {
  for (int i = 0; i < hidden; ++i) scores[i] = -1e30f;
  for (int i = valid; i < padded; ++i) scores[i] = -1e30f;
  const float largest = Maximum(scores, valid);
  const float total = Exponentials(scores, padded, largest, 1.0f, scores);
  const float inverse = 1.0f / total;
  for (int i = 0; i < padded; i += kWidth) Save(scores + i, Load(scores + i) * inverse);
}

/// The first position that a query at `position` sees.
static inline int FirstSeen(const AttentionTask& task, int position) {
  return task.window > 0 && position >= task.window ? position - task.window + 1 : 0;
}

/// One tile of rows (a row is a token's one head) through scores, softmax and values. Pages before those that its first
/// row sees are left out.
template <int kTileRows>
static void AttentionTile(const AttentionTask& task, int first_row) {
  const int context = task.position + task.tokens;
  const int padded = (context + kStripTokens - 1) / kStripTokens * kStripTokens;
  const float* queries[kTileRows];
  float* outs[kTileRows];
  float* scores[kTileRows];
  int last_token = 0;
  for (int r = 0; r < kTileRows; ++r) {
    const int token = (first_row + r) / task.group, head = (first_row + r) % task.group;
    queries[r] = task.queries + token * task.query_stride + head * task.head_dim;
    outs[r] = task.out + token * task.out_stride + head * task.head_dim;
    scores[r] = task.scores + static_cast<int64_t>(r) * padded;
    last_token = token;
  }
  const int positions = task.position + last_token + 1;  // what the tile's last row may see
  const int first = FirstSeen(task, task.position + first_row / task.group) / task.page_tokens * task.page_tokens;
  for (int begin = first; begin < positions; begin += kStripTokens) {
    const float* keys =
        task.keys + task.pages[begin / task.page_tokens] * task.key_page_stride + begin % task.page_tokens;
    float* strip[kTileRows];
    for (int r = 0; r < kTileRows; ++r) strip[r] = scores[r] + begin;
    ScoreStrip<kTileRows>(queries, keys, task.page_tokens, task.head_dim, task.scale, strip);
  }
  const int seen = (positions + kStripTokens - 1) / kStripTokens * kStripTokens;
  for (int r = 0; r < kTileRows; ++r) {
    const int position = task.position + (first_row + r) / task.group;
    SoftmaxRow(scores[r] + first, FirstSeen(task, position) - first, position + 1 - first, seen - first);
  }
  for (int slice = 0; slice < task.head_dim; slice += kStripTokens) {
    ValueSlice<kTileRows>(task, scores, first, positions, slice, outs);
  }
}

template <int kTileRows>
static void AttentionRest(const AttentionTask& task, int first_row, int rows) {
  if constexpr (kTileRows > 0) {
    if (rows == kTileRows) return AttentionTile<kTileRows>(task, first_row);
    AttentionRest<kTileRows - 1>(task, first_row, rows);
  }
}

static void Attention(const AttentionTask& task) {
  const int rows = task.tokens * task.group;
  int row = 0;
  for (; row + kAttentionTileRows <= rows; row += kAttentionTileRows) AttentionTile<kAttentionTileRows>(task, row);
  AttentionRest<kAttentionTileRows - 1>(task, row, rows - row);
}

}  // namespace SRLM_ISA
}  // namespace srlm::worker

#define SRLM_STRINGIFY_INNER(x) #x
#define SRLM_STRINGIFY(x) SRLM_STRINGIFY_INNER(x)
#define SRLM_KERNEL_TABLE                      \
  {SRLM_STRINGIFY(SRLM_ISA),                   \
   SRLM_ISA::kColumns,                         \
   SRLM_ISA::Linear,                           \
   SRLM_ISA::RmsNorm,                          \
   SRLM_ISA::GateMultiply<SRLM_ISA::Silu>,     \
   SRLM_ISA::GateMultiply<SRLM_ISA::GeluTanh>, \
   SRLM_ISA::Attention,                        \
   SRLM_ISA::Maximum,                          \
   SRLM_ISA::Exponentials}
