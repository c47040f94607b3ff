#include "trainer/network/attention.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <vector>

#include "trainer/kernels/row_kernels.h"
#include "trainer/network/matrix.h"

namespace srlm::trainer {
namespace {

constexpr int64_t kQueryBlock = 128;  // queries whose probabilities exist at once

/// A run of keys: rows [begin, begin + count) of the pack.
struct KeyRun {
  int64_t begin = 0;
  int64_t count = 0;
};

/// Queries [begin, begin + count) of one segment, and the keys that any of them sees: of the prefix, then own rows.
struct QueryBlock {
  int64_t begin = 0, count = 0;
  KeyRun prefix, own;
  int64_t window = 0;
  int64_t keys() const { return prefix.count + own.count; }
  /// Query `i` of the block sees keys [first(i), last(i)).
  int64_t last(int64_t i) const { return prefix.count + (begin - own.begin) + i + 1; }
  int64_t first(int64_t i) const { return window > 0 ? std::max<int64_t>(0, last(i) - window) : 0; }
  /// Leaves out the keys that not even the first query sees.
  void TrimToWindow() {
    const int64_t unseen = first(0), of_prefix = std::min(unseen, prefix.count);
    prefix = {prefix.begin + of_prefix, prefix.count - of_prefix};
    own = {own.begin + unseen - of_prefix, own.count - (unseen - of_prefix)};
  }
};

template <typename Body>
void ForEachBlock(const AttentionSegment& segment, int64_t window, const Body& body) {
  for (int64_t at = 0; at < segment.count; at += kQueryBlock) {
    QueryBlock block;
    block.begin = segment.begin + at;
    block.count = std::min(kQueryBlock, segment.count - at);
    block.prefix = {segment.prefix_begin, segment.prefix_count};
    block.own = {segment.begin, at + block.count};
    block.window = window;
    block.TrimToWindow();
    body(block);
  }
}

int64_t LongestKeys(const Pack& pack) {
  int64_t longest = 0;
  for (const AttentionSegment& segment : pack.segments) {
    longest = std::max(longest, segment.prefix_count + segment.count);
  }
  return longest;
}

/// One head's columns of a matrix with several heads beside one another.
struct HeadColumns {
  float* values = nullptr;  // first row
  int64_t stride = 0;
  int64_t width = 0;
  at::Tensor Rows(int64_t begin, int64_t count) const {
    return MatrixAt(values + begin * stride, count, width, stride);
  }
};

HeadColumns Columns(const at::Tensor& matrix, int64_t first, int64_t width) {
  return {matrix.data_ptr<float>() + first, matrix.size(1), width};
}

/// scores[:, prefix | own] = alpha * queries keys^T.
void ScoreKeys(const QueryBlock& block, const at::Tensor& queries, const HeadColumns& keys, double alpha,
               at::Tensor& scores) {
  if (block.prefix.count > 0) {
    Multiply(scores.narrow(1, 0, block.prefix.count), queries, keys.Rows(block.prefix.begin, block.prefix.count).t(),
             alpha);
  }
  Multiply(scores.narrow(1, block.prefix.count, block.own.count), queries,
           keys.Rows(block.own.begin, block.own.count).t(), alpha);
}

/// out = weights[:, prefix | own] values.
void WeighRows(const QueryBlock& block, const at::Tensor& weights, const HeadColumns& values, at::Tensor out) {
  Multiply(out, weights.narrow(1, block.prefix.count, block.own.count), values.Rows(block.own.begin, block.own.count));
  if (block.prefix.count > 0) {
    MultiplyAdd(out, weights.narrow(1, 0, block.prefix.count), values.Rows(block.prefix.begin, block.prefix.count));
  }
}

/// rows (prefix and own) += weights^T values.
void SpreadToRows(const QueryBlock& block, const at::Tensor& weights, const at::Tensor& values,
                  const HeadColumns& rows) {
  if (block.prefix.count > 0) {
    MultiplyAdd(rows.Rows(block.prefix.begin, block.prefix.count), weights.narrow(1, 0, block.prefix.count).t(),
                values);
  }
  MultiplyAdd(rows.Rows(block.own.begin, block.own.count), weights.narrow(1, block.prefix.count, block.own.count).t(),
              values);
}

}  // namespace

void Attention(const Pack& pack, const HeadShape& shape, const at::Tensor& qkv, at::Tensor& out, at::Tensor& lse) {
  const int64_t longest = LongestKeys(pack);
  float* const lse_values = lse.data_ptr<float>();
  const auto tasks = static_cast<int64_t>(pack.segments.size()) * shape.heads;
  at::parallel_for(0, tasks, 1, [&](int64_t first, int64_t last) {
    const c10::InferenceMode inference;
    std::vector<float> scratch(static_cast<size_t>(kQueryBlock * longest));
    for (int64_t task = first; task < last; ++task) {
      const int64_t head = task % shape.heads, kv_head = head / shape.group();
      const HeadColumns queries = Columns(qkv, head * shape.head_dim, shape.head_dim);
      const HeadColumns keys = Columns(qkv, shape.query_size() + kv_head * shape.head_dim, shape.head_dim);
      const HeadColumns values =
          Columns(qkv, shape.query_size() + shape.kv_size() + kv_head * shape.head_dim, shape.head_dim);
      const HeadColumns outputs = Columns(out, head * shape.head_dim, shape.head_dim);
      ForEachBlock(pack.segments[static_cast<size_t>(task / shape.heads)], shape.window, [&](const QueryBlock& block) {
        at::Tensor scores = MatrixAt(scratch.data(), block.count, block.keys());
        ScoreKeys(block, queries.Rows(block.begin, block.count), keys, shape.scale, scores);
        for (int64_t i = 0; i < block.count; ++i) {
          lse_values[(block.begin + i) * shape.heads + head] =
              kernels::SoftmaxRow(block.keys(), block.first(i), block.last(i), scratch.data() + i * block.keys());
        }
        WeighRows(block, scores, values, outputs.Rows(block.begin, block.count));
      });
    }
  });
}

namespace {

/// Everything one thread needs to go backward through a head.
struct BackwardHead {
  HeadColumns queries, keys, values, out, d_out, d_queries, d_keys, d_values;
  const float* lse = nullptr;  // of this head; `heads` apart
  int64_t heads = 0;
  double scale = 1;
};

void BackwardBlock(const QueryBlock& block, const BackwardHead& head, float* probability_memory, float* score_memory) {
  const int64_t keys = block.keys();
  at::Tensor probabilities = MatrixAt(probability_memory, block.count, keys);
  at::Tensor d_scores = MatrixAt(score_memory, block.count, keys);
  const at::Tensor queries = head.queries.Rows(block.begin, block.count);
  const at::Tensor d_out = head.d_out.Rows(block.begin, block.count);
  ScoreKeys(block, queries, head.keys, head.scale, probabilities);
  for (int64_t i = 0; i < block.count; ++i) {
    kernels::ExpRow(keys, block.first(i), block.last(i), head.lse[(block.begin + i) * head.heads],
                    probability_memory + i * keys);
  }
  SpreadToRows(block, probabilities, d_out, head.d_values);
  ScoreKeys(block, d_out, head.values, 1, d_scores);
  for (int64_t i = 0; i < block.count; ++i) {
    const int64_t row = block.begin + i;
    const float shift = kernels::Dot(head.out.width, head.out.values + row * head.out.stride,
                                     head.d_out.values + row * head.d_out.stride);
    kernels::SoftmaxBackwardRow(keys, probability_memory + i * keys, shift, static_cast<float>(head.scale),
                                score_memory + i * keys);
  }
  WeighRows(block, d_scores, head.keys, head.d_queries.Rows(block.begin, block.count));
  SpreadToRows(block, d_scores, queries, head.d_keys);
}

}  // namespace

void AttentionBackward(const Pack& pack, const HeadShape& shape, const at::Tensor& qkv, const at::Tensor& out,
                       const at::Tensor& lse, const at::Tensor& d_out, at::Tensor& d_qkv) {
  const int64_t longest = LongestKeys(pack);
  const int64_t dim = shape.head_dim, keys_at = shape.query_size(), values_at = keys_at + shape.kv_size();
  d_qkv.zero_();
  // A task owns the keys and values that it adds to: one sample, one key-value head.
  const auto tasks = static_cast<int64_t>(pack.samples.size()) * shape.kv_heads;
  at::parallel_for(0, tasks, 1, [&](int64_t first, int64_t last) {
    const c10::InferenceMode inference;
    std::vector<float> probabilities(static_cast<size_t>(kQueryBlock * longest)), scores(probabilities.size());
    for (int64_t task = first; task < last; ++task) {
      const PackedSample& sample = pack.samples[static_cast<size_t>(task / shape.kv_heads)];
      const int64_t kv_head = task % shape.kv_heads;
      BackwardHead head;
      head.heads = shape.heads;
      head.scale = shape.scale;
      head.keys = Columns(qkv, keys_at + kv_head * dim, dim);
      head.values = Columns(qkv, values_at + kv_head * dim, dim);
      head.d_keys = Columns(d_qkv, keys_at + kv_head * dim, dim);
      head.d_values = Columns(d_qkv, values_at + kv_head * dim, dim);
      for (int64_t query = kv_head * shape.group(); query < (kv_head + 1) * shape.group(); ++query) {
        head.queries = Columns(qkv, query * dim, dim);
        head.d_queries = Columns(d_qkv, query * dim, dim);
        head.out = Columns(out, query * dim, dim);
        head.d_out = Columns(d_out, query * dim, dim);
        head.lse = lse.data_ptr<float>() + query;
        for (size_t segment = sample.segment_begin; segment < sample.segment_end; ++segment) {
          ForEachBlock(pack.segments[segment], shape.window, [&](const QueryBlock& block) {
            BackwardBlock(block, head, probabilities.data(), scores.data());
          });
        }
      }
    }
  });
}

}  // namespace srlm::trainer
