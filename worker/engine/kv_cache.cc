#include "worker/engine/kv_cache.h"

#include <fmt/format.h>

#include <cstring>

namespace srlm::worker {
namespace {

int64_t PaddedDim(const model::ModelConfig& config) {
  return (config.head_dim + kStripTokens - 1) / kStripTokens * kStripTokens;
}

}  // namespace

int64_t KvCache::PageBytes(const model::ModelConfig& config, int page_tokens) {
  const int64_t floats_per_token = config.kv_heads * (config.head_dim + PaddedDim(config)) * config.layers;
  return floats_per_token * page_tokens * static_cast<int64_t>(sizeof(float));
}

Result<KvCache> KvCache::Create(const model::ModelConfig& config, int pages, int page_tokens) {
  SRLM_CHECK(page_tokens > 0 && page_tokens % kStripTokens == 0, "a page is whole strips");
  KvCache cache;
  cache.pages_ = pages;
  cache.page_tokens_ = page_tokens;
  cache.heads_ = config.kv_heads;
  cache.head_dim_ = config.head_dim;
  cache.padded_dim_ = PaddedDim(config);
  cache.key_page_ = cache.heads_ * cache.head_dim_ * page_tokens;
  cache.value_page_ = cache.heads_ * page_tokens * cache.padded_dim_;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    cache.keys_.emplace_back(cache.key_page_ * pages);
    cache.values_.emplace_back(cache.value_page_ * pages);
    if (!cache.keys_.back().ok() || !cache.values_.back().ok()) {
      return ResourceExhausted(fmt::format("no memory for a KV cache of {} MiB; ask for less with kv_cache_mib",
                                           PageBytes(config, page_tokens) * pages >> 20));
    }
  }
  return cache;
}

void KvCache::Store(int layer, int page, int slot, const float* keys, const float* values) {
  float* key_page = keys_[static_cast<size_t>(layer)].data() + page * key_page_;
  float* value_page = values_[static_cast<size_t>(layer)].data() + page * value_page_;
  for (int64_t head = 0; head < heads_; ++head) {
    float* key = key_page + head * head_dim_ * page_tokens_ + slot;
    float* value = value_page + (head * page_tokens_ + slot) * padded_dim_;
    for (int64_t d = 0; d < head_dim_; ++d) key[d * page_tokens_] = keys[head * head_dim_ + d];
    std::memcpy(value, values + head * head_dim_, static_cast<size_t>(head_dim_) * sizeof(float));
  }
}

void KvCache::Copy(int from, int to, int tokens) {
  for (size_t layer = 0; layer < keys_.size(); ++layer) {
    float* keys = keys_[layer].data();
    float* values = values_[layer].data();
    for (int64_t row = 0; row < heads_ * head_dim_; ++row) {
      std::memcpy(keys + to * key_page_ + row * page_tokens_, keys + from * key_page_ + row * page_tokens_,
                  static_cast<size_t>(tokens) * sizeof(float));
    }
    for (int64_t head = 0; head < heads_; ++head) {
      const int64_t at = head * page_tokens_ * padded_dim_;
      std::memcpy(values + to * value_page_ + at, values + from * value_page_ + at,
                  static_cast<size_t>(tokens * padded_dim_) * sizeof(float));
    }
  }
}

const float* KvCache::keys(int layer, int64_t head) const {
  return keys_[static_cast<size_t>(layer)].data() + head * head_dim_ * page_tokens_;
}

const float* KvCache::values(int layer, int64_t head) const {
  return values_[static_cast<size_t>(layer)].data() + head * page_tokens_ * padded_dim_;
}

}  // namespace srlm::worker
