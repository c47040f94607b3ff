// Keys and values of all layers, page by page. Keys lie transposed inside a page ([head_dim, page_tokens]), so that a
// strip of 16 positions is scored with one vector a dimension; values lie by position ([page_tokens, padded_dim]).
#pragma once

#include <cstdint>
#include <vector>

#include "common/base/status.h"
#include "common/model/model_config.h"
#include "worker/engine/packed_weights.h"

namespace srlm::worker {

class KvCache {
 public:
  /// Room for `pages` pages; memory is taken when a page is first written. ResourceExhausted when refused.
  static Result<KvCache> Create(const model::ModelConfig& config, int pages, int page_tokens);
  /// Bytes of one page in all layers.
  static int64_t PageBytes(const model::ModelConfig& config, int page_tokens);

  /// Stores one token's keys and values [kv_heads, head_dim] (keys already rotated).
  void Store(int layer, int page, int slot, const float* keys, const float* values);
  /// Copies the first `tokens` tokens of a page, in all layers.
  void Copy(int from, int to, int tokens);

  const float* keys(int layer, int64_t head) const;
  const float* values(int layer, int64_t head) const;
  int64_t key_page_stride() const { return key_page_; }
  int64_t value_page_stride() const { return value_page_; }
  int padded_dim() const { return static_cast<int>(padded_dim_); }
  int page_tokens() const { return static_cast<int>(page_tokens_); }
  int pages() const { return pages_; }

 private:
  KvCache() = default;
  int pages_ = 0;
  int64_t page_tokens_ = 0;
  int64_t heads_ = 0;
  int64_t head_dim_ = 0;
  int64_t padded_dim_ = 0;
  int64_t key_page_ = 0;  // floats of one page of keys, all heads
  int64_t value_page_ = 0;
  std::vector<LazyBuffer> keys_;    // one a layer: [pages, heads, head_dim, page_tokens]
  std::vector<LazyBuffer> values_;  // one a layer: [pages, heads, page_tokens, padded_dim]
};

}  // namespace srlm::worker
