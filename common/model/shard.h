// What each of several ranks holds of one model: tensor parallelism as in Megatron-LM (arXiv 1909.08053).
#pragma once

#include <cstdint>

#include "common/base/status.h"
#include "common/model/model_config.h"
#include "common/model/safetensors.h"

namespace srlm::model {

/// One rank's share. Projections out of the hidden state (q, k, v, gate, up) are split by outputs and those back into
/// it (o, down) by inputs, so that a layer's ranks meet twice: to add up what o and what down give. Heads stay whole;
/// where there are more ranks than key-value heads, several ranks hold the same one. Embedding and lm_head are split by
/// tokens, norms are whole on every rank.
struct Shard {
  int rank = 0;
  int ranks = 1;
  ModelConfig local;  // of this rank alone: its heads, kv_heads and intermediate_size; vocabulary_size is `tokens`
  int64_t vocabulary_size = 0;  // of the model
  int64_t first_kv_head = 0;
  int64_t first_inner = 0;  // of the intermediate size; the ranks' parts differ by at most one
  int64_t first_token = 0;
  int64_t tokens = 0;       // rows of embedding and lm_head that are here
  int64_t token_block = 0;  // of every rank but perhaps the last, which may have fewer

  Slice Query() const;       // of q
  Slice KeyValue() const;    // of k, and of v
  Slice Output() const;      // of o
  Slice Inner() const;       // of gate, and of up
  Slice Down() const;        // of down
  Slice Vocabulary() const;  // of embedding, and of lm_head
};

/// InvalidArgument, with the numbers that are possible, when `ranks` does not divide the model.
Result<Shard> MakeShard(const ModelConfig& config, int rank, int ranks);

}  // namespace srlm::model
