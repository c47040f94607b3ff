#include "common/model/shard.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace srlm::model {
namespace {

bool Divides(const ModelConfig& config, int64_t ranks) {
  const int64_t block = (config.vocabulary_size + ranks - 1) / ranks;
  return config.heads % ranks == 0 && (config.kv_heads % ranks == 0 || ranks % config.kv_heads == 0) &&
         config.intermediate_size >= ranks && block * (ranks - 1) < config.vocabulary_size;
}

}  // namespace

Slice Shard::Query() const { return {rank * local.query_size(), local.query_size(), 0, local.hidden_size}; }
Slice Shard::KeyValue() const { return {first_kv_head * local.head_dim, local.kv_size(), 0, local.hidden_size}; }
Slice Shard::Output() const { return {0, local.hidden_size, rank * local.query_size(), local.query_size()}; }
Slice Shard::Inner() const { return {first_inner, local.intermediate_size, 0, local.hidden_size}; }
Slice Shard::Down() const { return {0, local.hidden_size, first_inner, local.intermediate_size}; }
Slice Shard::Vocabulary() const { return {first_token, tokens, 0, local.hidden_size}; }

Result<Shard> MakeShard(const ModelConfig& config, int rank, int ranks) {
  if (!Divides(config, ranks)) {
    std::vector<int64_t> possible;
    for (int64_t n = 1; n <= config.heads; ++n) {
      if (Divides(config, n)) possible.push_back(n);
    }
    return InvalidArgument(fmt::format(
        "{} ranks cannot share a model of {} heads, {} key-value heads, intermediate size {} and {} tokens: "
        "possible are {}",
        ranks, config.heads, config.kv_heads, config.intermediate_size, config.vocabulary_size,
        fmt::join(possible, ", ")));
  }
  Shard shard;
  shard.rank = rank;
  shard.ranks = ranks;
  shard.vocabulary_size = config.vocabulary_size;
  shard.token_block = (config.vocabulary_size + ranks - 1) / ranks;
  shard.first_token = shard.token_block * rank;
  shard.tokens = std::min(shard.token_block, config.vocabulary_size - shard.first_token);
  shard.local = config;
  shard.local.heads = config.heads / ranks;
  shard.local.kv_heads = std::max<int64_t>(1, config.kv_heads / ranks);
  shard.first_kv_head = rank * config.kv_heads / ranks;
  shard.first_inner = config.intermediate_size * rank / ranks;
  shard.local.intermediate_size = config.intermediate_size * (rank + 1) / ranks - shard.first_inner;
  shard.local.vocabulary_size = shard.tokens;
  return shard;
}

}  // namespace srlm::model
