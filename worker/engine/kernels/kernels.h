// The engine's CPU kernels, one implementation for each instruction set, chosen when the program starts.
//
// Every output element is reduced in an order that depends only on its own inputs (never on how many rows, which
// slot or which thread), so that a result does not change with the batch it was computed in.
#pragma once

#include <cstdint>

namespace srlm::worker {

/// Positions in one strip of keys: the unit in which attention reads the cache.
inline constexpr int kStripTokens = 16;
/// Query rows (a token's one head) that attention computes together.
inline constexpr int kAttentionTileRows = 6;

/// How Linear leaves its result.
enum class Store { kSet, kAdd };

/// Keys and values of one sequence and one key-value head, page by page, and the queries that read them.
struct AttentionTask {
  const float* queries;  // [tokens, query_stride], the first of `group` heads that share this key-value head
  int64_t query_stride;  // floats from one token's queries to the next
  float* out;            // [tokens, out_stride], same heads
  int64_t out_stride;
  int tokens;    // queries of consecutive positions
  int position;  // of the first
  int group;     // query heads for this key-value head
  int head_dim;
  int padded_dim;    // head_dim rounded up to kStripTokens: the stride of values
  const int* pages;  // page table of the sequence
  int page_tokens;
  const float* keys;    // page p begins at keys + p * page_stride: [head_dim, page_tokens]
  const float* values;  // likewise: [page_tokens, padded_dim]
  int64_t key_page_stride;
  int64_t value_page_stride;
  float scale;     // of scores
  int window = 0;  // positions that a query sees, its own the last of them; 0: all
  float* scores;   // scratch: [kAttentionTileRows, context rounded up to kStripTokens]
};

struct KernelTable {
  const char* name;   // "avx512", "avx2", "portable"
  int panel_columns;  // output columns in one packed panel

  /// out[m, n] (=, +=) a[m, k] . w[n, k]^T for the columns of panels [panel_begin, panel_end). `packed` holds
  /// PackedElements(n, k) floats: panel by panel, [k, panel_columns], columns past n are zero.
  void (*linear)(const float* a, int64_t lda, const float* packed, int64_t k, int64_t n, float* out, int64_t ldo,
                 int64_t m, int64_t panel_begin, int64_t panel_end, Store store);
  /// out[i] = x[i] * rsqrt(mean(x^2) + epsilon) * weight[i], one row of `size`; out may be x.
  void (*rms_norm)(const float* x, const float* weight, float epsilon, int64_t size, float* out);
  /// out[i] = silu(gate[i]) * up[i].
  void (*silu_multiply)(const float* gate, const float* up, int64_t size, float* out);
  /// out[i] = gelu(gate[i]) * up[i], gelu by its tanh form.
  void (*gelu_multiply)(const float* gate, const float* up, int64_t size, float* out);
  /// Causal attention of a task's queries over its pages.
  void (*attention)(const AttentionTask& task);
  /// Largest of `size` values.
  float (*maximum)(const float* x, int64_t size);
  /// out[i] = exp((x[i] - shift) * scale); returns their sum. `out` may be null: only the sum is wanted.
  float (*exponentials)(const float* x, int64_t size, float shift, float scale, float* out);
};

/// Elements of a packed [n, k] matrix.
inline int64_t PackedElements(int64_t n, int64_t k, int panel_columns) {
  return (n + panel_columns - 1) / panel_columns * panel_columns * k;
}

/// Copies rows [row, row + rows) of a [n, k] matrix (as they stand in `w`) into its packed form.
void PackRows(const float* w, int64_t row, int64_t rows, int64_t k, int panel_columns, float* packed);

/// Row `row` of the packed matrix, unpacked: [k].
void UnpackRow(const float* packed, int64_t row, int64_t k, int panel_columns, float* out);

/// The fastest table that this processor runs, at most the one that SRLM_KERNELS=avx512|avx2|portable asks for; the
/// engine refuses to start where that is not the one that was asked for.
const KernelTable& SelectKernels();

/// Each table, whatever the processor is; the first two exist on x86-64 alone.
const KernelTable* Avx512Kernels();
const KernelTable* Avx2Kernels();
const KernelTable& PortableKernels();

}  // namespace srlm::worker
