#include "worker/engine/cpu_runner.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace srlm::worker {
namespace {

constexpr int64_t kLogitRows = 64;   // rows of logits that exist at once
constexpr int kAttentionTokens = 8;  // most query tokens that a thread takes at a time

void Rotate(float* head, const float* cosine, const float* sine, int64_t half) {
  for (int64_t i = 0; i < half; ++i) {
    const float a = head[i], b = head[i + half];
    head[i] = a * cosine[i] - b * sine[i];
    head[i + half] = b * cosine[i] + a * sine[i];
  }
}

}  // namespace

Result<std::unique_ptr<CpuRunner>> CpuRunner::Create(const std::string& folder, const model::ModelConfig& config,
                                                     const RunnerOptions& options,
                                                     const std::function<void()>& progress) {
  const KernelTable& kernels = SelectKernels();
  if (const char* asked = std::getenv("SRLM_KERNELS"); asked != nullptr && std::string(asked) != kernels.name) {
    return InvalidArgument("SRLM_KERNELS=" + std::string(asked) +
                           ": this processor has no such kernels; unset it, or use " + kernels.name);
  }
  const int rank = options.group == nullptr ? 0 : options.group->rank();
  const int ranks = options.group == nullptr ? 1 : options.group->size();
  SRLM_ASSIGN_OR_RETURN(const model::Shard shard, model::MakeShard(config, rank, ranks));
  SRLM_ASSIGN_OR_RETURN(PackedWeights weights, LoadPackedWeights(folder, config, shard, kernels, progress));
  SRLM_ASSIGN_OR_RETURN(KvCache cache, KvCache::Create(shard.local, options.pages, options.page_tokens));
  return std::unique_ptr<CpuRunner>(new CpuRunner(shard, kernels, std::move(weights), std::move(cache), options));
}

CpuRunner::CpuRunner(const model::Shard& shard, const KernelTable& kernels, PackedWeights weights, KvCache cache,
                     const RunnerOptions& options)
    : shard_(shard),
      kernels_(kernels),
      weights_(std::move(weights)),
      cache_(std::move(cache)),
      team_(options.compute.threads),
      rope_(config_, std::min<int64_t>(config_.context_tokens, int64_t{options.pages} * options.page_tokens)),
      group_(options.group != nullptr && options.group->size() > 1 ? options.group : nullptr),
      next_attention_(static_cast<size_t>(config_.layers)),
      score_scratch_(static_cast<size_t>(team_.size())),
      sampler_scratch_(static_cast<size_t>(team_.size())) {
  if (group_ != nullptr) sums_.emplace(*group_);
}

Status CpuRunner::Run(const StepBatch& batch, StepOutput& out) {
  Prepare(batch);
  out.samples.assign(batch.samples.size(), {});
  out.scores.assign(batch.scores.size(), 0.0f);
  team_.Run([&](int thread) {
    Forward(batch, thread);
    ReadLogits(batch, out, thread);
  });
  return group_status_;
}

void CpuRunner::Prepare(const StepBatch& batch) {
  rows_ = static_cast<int64_t>(batch.tokens.size());
  const auto fit = [&](std::vector<float>& buffer, int64_t width) {
    const auto wanted = static_cast<size_t>(rows_ * width);
    if (buffer.size() < wanted) buffer.resize(wanted);
  };
  fit(hidden_, config_.hidden_size);
  fit(normalized_, config_.hidden_size);
  fit(qkv_, config_.query_size() + 2 * config_.kv_size());
  fit(attended_, config_.query_size());
  fit(gate_up_, 2 * config_.intermediate_size);
  fit(inner_, config_.intermediate_size);
  const int64_t logit_rows = static_cast<int64_t>(batch.logit_rows.size());
  const auto fit_logits = [&](std::vector<float>& buffer, int64_t width) {
    const auto wanted = static_cast<size_t>(std::min(kLogitRows, logit_rows) * width);
    if (buffer.size() < wanted) buffer.resize(wanted);
  };
  if (shard_.rank == 0) fit_logits(logits_, shard_.vocabulary_size);
  if (group_ != nullptr || config_.part_norms) fit(product_, config_.hidden_size);
  if (group_ != nullptr) {
    fit_logits(own_logits_, shard_.token_block);
    if (shard_.rank == 0) fit_logits(all_logits_, shard_.token_block * shard_.ranks);
  }

  PlanAttention(batch);
  logit_uses_.assign(batch.logit_rows.size(), {});
  for (size_t i = 0; i < batch.samples.size(); ++i) {
    logit_uses_[static_cast<size_t>(batch.samples[i].logit_row)].samples.push_back(static_cast<int>(i));
  }
  for (size_t i = 0; i < batch.scores.size(); ++i) {
    logit_uses_[static_cast<size_t>(batch.scores[i].logit_row)].scores.push_back(static_cast<int>(i));
  }
  for (auto& counter : next_attention_) counter.store(0, std::memory_order_relaxed);
  const auto chunks = static_cast<size_t>((logit_rows + kLogitRows - 1) / kLogitRows);
  if (next_logit_.size() < chunks) next_logit_ = std::vector<std::atomic<int>>(chunks);
  for (auto& counter : next_logit_) counter.store(0, std::memory_order_relaxed);
}

void CpuRunner::PlanAttention(const StepBatch& batch) {
  attention_.clear();
  int longest = 0;
  for (const SequenceSpan& span : batch.spans) {
    longest = std::max(longest, span.position + span.rows);
    for (int first = 0; first < span.rows; first += kAttentionTokens) {
      const int tokens = std::min(kAttentionTokens, span.rows - first);
      for (int64_t head = 0; head < config_.kv_heads; ++head) attention_.push_back({&span, first, tokens, head});
    }
  }
  // Longest first, so that the threads end together.
  std::ranges::stable_sort(attention_, std::ranges::greater(), [](const AttentionWork& work) {
    return int64_t{work.tokens} * (work.span->position + work.first + work.tokens);
  });
  const int padded = (longest + kStripTokens - 1) / kStripTokens * kStripTokens;
  for (auto& scratch : score_scratch_) {
    if (scratch.size() < static_cast<size_t>(padded * kAttentionTileRows)) {
      scratch.resize(static_cast<size_t>(padded * kAttentionTileRows));
    }
  }
}

void CpuRunner::Forward(const StepBatch& batch, int thread) {
  Embed(batch, thread);
  team_.Barrier();
  for (int layer = 0; layer < static_cast<int>(config_.layers); ++layer) Block(batch, layer, thread);
}

void CpuRunner::Embed(const StepBatch& batch, int thread) {
  const auto [begin, end] = team_.Part(rows_, thread);
  for (int64_t row = begin; row < end; ++row) {
    const int64_t token = batch.tokens[static_cast<size_t>(row)] - shard_.first_token;
    float* out = hidden_.data() + row * config_.hidden_size;
    if (token >= 0 && token < shard_.tokens) {
      UnpackRow(weights_.embedding.data.data(), token, config_.hidden_size, kernels_.panel_columns, out);
      const auto scale = static_cast<float>(config_.embedding_scale);
      for (int64_t i = 0; scale != 1.0f && i < config_.hidden_size; ++i) out[i] *= scale;
    } else {
      std::fill_n(out, config_.hidden_size, 0.0f);  // another rank's
    }
  }
  if (group_ == nullptr) return;
  team_.Barrier();
  if (thread == 0) SumOverRanks(hidden_, rows_ * config_.hidden_size);
}

void CpuRunner::Block(const StepBatch& batch, int layer, int thread) {
  const PackedBlock& block = weights_.blocks[static_cast<size_t>(layer)];
  // 1. Attention.
  NormalizeRows(block.input_norm, thread);
  team_.Barrier();
  Multiply(block.qkv, normalized_.data(), qkv_.data(), block.qkv.n, rows_, Store::kSet, thread);
  team_.Barrier();
  RotateAndStore(batch, layer, thread);
  team_.Barrier();
  Attend(layer, thread);
  team_.Barrier();
  AddProduct(block.o, attended_.data(), block.attention_norm, thread);
  team_.Barrier();
  // 2. Feed-forward.
  NormalizeRows(block.middle_norm, thread);
  team_.Barrier();
  Multiply(block.gate_up, normalized_.data(), gate_up_.data(), block.gate_up.n, rows_, Store::kSet, thread);
  team_.Barrier();
  const int64_t inner = config_.intermediate_size;
  const auto gated = config_.activation == model::Activation::kSilu ? kernels_.silu_multiply : kernels_.gelu_multiply;
  const auto [begin, end] = team_.Part(rows_, thread);
  for (int64_t row = begin; row < end; ++row) {
    const float* gate = gate_up_.data() + row * 2 * inner;
    gated(gate, gate + inner, inner, inner_.data() + row * inner);
  }
  team_.Barrier();
  AddProduct(block.down, inner_.data(), block.mlp_norm, thread);
  team_.Barrier();
}

void CpuRunner::Normalize(const float* x, const std::vector<float>& weight, float* out) const {
  kernels_.rms_norm(x, weight.data(), static_cast<float>(config_.rms_norm_epsilon), static_cast<int64_t>(weight.size()),
                    out);
}

void CpuRunner::NormalizeRows(const std::vector<float>& weight, int thread) {
  const auto [begin, end] = team_.Part(rows_, thread);
  for (int64_t row = begin; row < end; ++row) {
    Normalize(hidden_.data() + row * config_.hidden_size, weight, normalized_.data() + row * config_.hidden_size);
  }
}

void CpuRunner::Multiply(const PackedMatrix& weights, const float* in, float* out, int64_t stride, int64_t rows,
                         Store store, int thread) {
  const int64_t panels = (weights.n + kernels_.panel_columns - 1) / kernels_.panel_columns;
  const auto [begin, end] = team_.Part(panels, thread);
  kernels_.linear(in, weights.k, weights.data.data(), weights.k, weights.n, out, stride, rows, begin, end, store);
}

void CpuRunner::AddProduct(const PackedMatrix& weights, const float* in, const std::vector<float>& norm, int thread) {
  if (group_ == nullptr && norm.empty()) {
    return Multiply(weights, in, hidden_.data(), weights.n, rows_, Store::kAdd, thread);
  }
  Multiply(weights, in, product_.data(), weights.n, rows_, Store::kSet, thread);
  team_.Barrier();
  if (group_ != nullptr) {
    if (thread == 0) SumOverRanks(product_, rows_ * config_.hidden_size);
    team_.Barrier();
  }
  const auto [begin, end] = team_.Part(rows_, thread);
  for (int64_t row = begin; row < end; ++row) {
    float* product = product_.data() + row * config_.hidden_size;
    float* hidden = hidden_.data() + row * config_.hidden_size;
    if (!norm.empty()) Normalize(product, norm, product);
    for (int64_t i = 0; i < config_.hidden_size; ++i) hidden[i] += product[i];
  }
}

void CpuRunner::SumOverRanks(std::vector<float>& values, int64_t count) {
  if (!group_status_.ok()) return;
  group_status_ = sums_->Sum(std::span(values).first(static_cast<size_t>(count)), "a layer's sum");
}

void CpuRunner::GatherLogits(int64_t rows, int thread) {
  const int64_t block = shard_.token_block;
  const auto count = static_cast<size_t>(rows * block);
  if (thread == 0 && group_status_.ok()) {
    const size_t all = shard_.rank == 0 ? count * static_cast<size_t>(shard_.ranks) : 0;
    group_status_ = group_->Gather(parallel::BufferOf(std::span(own_logits_).first(count)),
                                   parallel::BufferOf(std::span(all_logits_).first(all)), 0, "logits");
  }
  team_.Barrier();
  if (shard_.rank != 0) return;
  const auto [begin, end] = team_.Part(rows, thread);
  for (int64_t row = begin; row < end; ++row) {
    float* out = logits_.data() + row * shard_.vocabulary_size;
    for (int64_t first = 0; first < shard_.vocabulary_size; first += block) {
      const float* from = all_logits_.data() + (first / block * rows + row) * block;
      std::copy_n(from, std::min(block, shard_.vocabulary_size - first), out + first);
    }
  }
  team_.Barrier();
}

void CpuRunner::RotateAndStore(const StepBatch& batch, int layer, int thread) {
  const int64_t width = config_.query_size() + 2 * config_.kv_size();
  const int64_t dim = config_.head_dim;
  const PackedBlock& block = weights_.blocks[static_cast<size_t>(layer)];
  const model::RopeTable& rope = rope_.of(layer);
  const auto [begin, end] = team_.Part(rows_, thread);
  for (const SequenceSpan& span : batch.spans) {
    const int64_t first = std::max<int64_t>(begin, span.row), last = std::min<int64_t>(end, span.row + span.rows);
    for (int64_t row = first; row < last; ++row) {
      const int64_t position = span.position + (row - span.row);
      float* queries = qkv_.data() + row * width;
      float* keys = queries + config_.query_size();
      const float* cosine = rope.cosine.data() + position * rope.half;
      const float* sine = rope.sine.data() + position * rope.half;
      for (size_t i = 0; i < block.qkv_bias.size(); ++i) queries[i] += block.qkv_bias[i];
      // Queries and keys stand next to one another: their heads are rotated in one pass.
      for (int64_t head = 0; head < config_.heads + config_.kv_heads; ++head) {
        float* values = queries + head * dim;
        if (config_.head_norms) Normalize(values, head < config_.heads ? block.q_norm : block.k_norm, values);
        Rotate(values, cosine, sine, rope.half);
      }
      const int page = (*span.pages)[static_cast<size_t>(position / cache_.page_tokens())];
      cache_.Store(layer, page, static_cast<int>(position % cache_.page_tokens()), keys, keys + config_.kv_size());
    }
  }
}

void CpuRunner::Attend(int layer, int thread) {
  const int64_t width = config_.query_size() + 2 * config_.kv_size();
  const int64_t group = config_.heads / config_.kv_heads;
  auto& next = next_attention_[static_cast<size_t>(layer)];
  const int count = static_cast<int>(attention_.size());
  for (int i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
    const AttentionWork& work = attention_[static_cast<size_t>(i)];
    const int64_t row = work.span->row + work.first;
    const int64_t head_offset = work.head * group * config_.head_dim;
    AttentionTask task;
    task.queries = qkv_.data() + row * width + head_offset;
    task.query_stride = width;
    task.out = attended_.data() + row * config_.query_size() + head_offset;
    task.out_stride = config_.query_size();
    task.tokens = work.tokens;
    task.position = work.span->position + work.first;
    task.group = static_cast<int>(group);
    task.head_dim = static_cast<int>(config_.head_dim);
    task.padded_dim = cache_.padded_dim();
    task.pages = work.span->pages->data();
    task.page_tokens = cache_.page_tokens();
    task.keys = cache_.keys(layer, work.head);
    task.values = cache_.values(layer, work.head);
    task.key_page_stride = cache_.key_page_stride();
    task.value_page_stride = cache_.value_page_stride();
    task.scale = static_cast<float>(config_.score_scale());
    task.window = static_cast<int>(config_.window_of(layer));
    task.scores = score_scratch_[static_cast<size_t>(thread)].data();
    kernels_.attention(task);
  }
}

void CpuRunner::ReadLogits(const StepBatch& batch, StepOutput& out, int thread) {
  const int64_t hidden = config_.hidden_size, vocabulary = shard_.vocabulary_size;
  const int64_t total = static_cast<int64_t>(batch.logit_rows.size());
  for (int64_t first = 0; first < total; first += kLogitRows) {
    const int64_t rows = std::min(kLogitRows, total - first);
    const auto [begin, end] = team_.Part(rows, thread);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = batch.logit_rows[static_cast<size_t>(first + i)];
      Normalize(hidden_.data() + row * hidden, weights_.final_norm, normalized_.data() + i * hidden);
    }
    team_.Barrier();
    if (group_ == nullptr) {
      Multiply(weights_.output(), normalized_.data(), logits_.data(), vocabulary, rows, Store::kSet, thread);
      team_.Barrier();
    } else {
      Multiply(weights_.output(), normalized_.data(), own_logits_.data(), shard_.token_block, rows, Store::kSet,
               thread);
      team_.Barrier();
      GatherLogits(rows, thread);
    }
    auto& next = next_logit_[static_cast<size_t>(first / kLogitRows)];
    for (int i = next.fetch_add(1); shard_.rank == 0 && i < rows; i = next.fetch_add(1)) {
      const float* logits = logits_.data() + i * vocabulary;
      const LogitUse& use = logit_uses_[static_cast<size_t>(first + i)];
      const LogitSummary summary = Summarize(kernels_, logits, vocabulary);
      for (const int s : use.samples) {
        out.samples[static_cast<size_t>(s)] =
            SampleToken(kernels_, logits, vocabulary, summary, batch.samples[static_cast<size_t>(s)],
                        sampler_scratch_[static_cast<size_t>(thread)]);
      }
      for (const int s : use.scores) {
        out.scores[static_cast<size_t>(s)] =
            static_cast<float>(logits[batch.scores[static_cast<size_t>(s)].token] - summary.log_sum);
      }
    }
    team_.Barrier();  // logits_ and normalized_ are written again by the next chunk
  }
}

}  // namespace srlm::worker
