#include "worker/aten/aten_runner.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>

#include "common/aten/guarded.h"
#include "worker/aten/aten_sampler.h"

namespace srlm::worker {
namespace {

constexpr int64_t kLogitRows = 128;  // rows of logits that exist at once

at::Tensor Linear(const at::Tensor& x, const at::Tensor& weights) { return at::linear(x, weights); }

parallel::DataType TypeOf(at::ScalarType type) {
  return type == at::kBFloat16 ? parallel::DataType::kBFloat16 : parallel::DataType::kFloat32;
}

constexpr char kMoreRoom[] = "lower workers.kv_cache_mib or workers.max_batch, or raise workers.tensor_parallel";

}  // namespace

Result<std::unique_ptr<AtenRunner>> AtenRunner::Create(const std::string& folder, const model::ModelConfig& config,
                                                       const RunnerOptions& options,
                                                       const std::function<void()>& progress) {
  const int rank = options.group == nullptr ? 0 : options.group->rank();
  const int ranks = options.group == nullptr ? 1 : options.group->size();
  SRLM_ASSIGN_OR_RETURN(const model::Shard shard, model::MakeShard(config, rank, ranks));
  at::set_num_threads(options.compute.threads);
  std::unique_ptr<AtenRunner> runner;
  SRLM_RETURN_IF_ERROR(Guarded(kMoreRoom, [&] {
    const at::NoGradGuard no_grad;
    const at::Device device(options.compute.device == nullptr ? "cpu" : options.compute.device->AtenName());
    const at::ScalarType type = options.compute.numbers == NumberType::kBFloat16 ? at::kBFloat16 : at::kFloat;
    runner.reset(new AtenRunner(shard, options, device, type));
    return runner->Load(folder, config, progress);
  }));
  return runner;
}

AtenRunner::AtenRunner(const model::Shard& shard, const RunnerOptions& options, at::Device device, at::ScalarType type)
    : shard_(shard),
      options_(options),
      device_(device),
      type_(type),
      group_(options.group != nullptr && options.group->size() > 1 ? options.group : nullptr) {}

Status AtenRunner::Load(const std::string& folder, const model::ModelConfig& config,
                        const std::function<void()>& progress) {
  SRLM_ASSIGN_OR_RETURN(weights_, LoadAtenWeights(folder, config, shard_, device_, type_, progress));
  MakeCache();
  const int64_t positions = std::min<int64_t>(config_.context_tokens, int64_t{options_.pages} * options_.page_tokens);
  all_ = MakeRotation(config_.rope, config_.head_dim, positions, device_);
  local_ = config_.own_local_rope ? MakeRotation(config_.local_rope, config_.head_dim, positions, device_) : all_;
  return OkStatus();
}

void AtenRunner::MakeCache() {
  const int64_t slots = int64_t{options_.pages} * options_.page_tokens;
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    for (std::vector<at::Tensor>* cache : {&keys_, &values_}) {
      // Zeros: a place that nobody wrote is gathered as padding, and what is no number would pass through a mask.
      cache->push_back(at::zeros({slots, config_.kv_heads, config_.head_dim}, at::TensorOptions(device_).dtype(type_)));
    }
  }
}

void AtenRunner::CopyPage(int from, int to, int tokens) {
  const at::NoGradGuard no_grad;
  for (std::vector<at::Tensor>* cache : {&keys_, &values_}) {
    for (at::Tensor& of : *cache) {
      of.narrow(0, int64_t{to} * options_.page_tokens, tokens)
          .copy_(of.narrow(0, int64_t{from} * options_.page_tokens, tokens));
    }
  }
}

Status AtenRunner::Run(const StepBatch& batch, StepOutput& out) {
  out.samples.assign(batch.samples.size(), {});
  out.scores.assign(batch.scores.size(), 0.0f);
  SRLM_RETURN_IF_ERROR(Guarded(kMoreRoom, [&] {
    const at::NoGradGuard no_grad;
    return Compute(batch, out);
  }));
  return group_ == nullptr ? OkStatus() : group_->Check();
}

Status AtenRunner::Compute(const StepBatch& batch, StepOutput& out) {
  // 1. Where the step's rows stand.
  std::vector<int64_t> tokens(batch.tokens.begin(), batch.tokens.end()), positions(tokens.size()), slots(tokens.size());
  for (const SequenceSpan& span : batch.spans) {
    for (int row = 0; row < span.rows; ++row) {
      const auto at = static_cast<size_t>(span.row + row);
      const int64_t position = span.position + row;
      positions[at] = position;
      slots[at] = int64_t{(*span.pages)[static_cast<size_t>(position / options_.page_tokens)]} * options_.page_tokens +
                  position % options_.page_tokens;
    }
  }
  const at::Tensor place = Longs(positions), slot = Longs(slots);
  const Layers all = PlanLayers(batch, false, place);
  const Layers local = config_.window > 0 ? PlanLayers(batch, true, place) : Layers{};
  // 2. The layers.
  SRLM_ASSIGN_OR_RETURN(at::Tensor hidden, Embed(Longs(tokens)));
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    SRLM_RETURN_IF_ERROR(Block(layer, config_.local(layer) ? local : all, slot, hidden));
  }
  // 3. What is read off them.
  return ReadOut(batch, hidden, out);
}

AtenRunner::Layers AtenRunner::PlanLayers(const StepBatch& batch, bool local, const at::Tensor& positions) const {
  return {PlanAttention(batch, options_.page_tokens, local ? config_.window : 0, own_kernels(), device_),
          (local ? local_ : all_).Of(positions)};
}

Result<at::Tensor> AtenRunner::Embed(const at::Tensor& tokens) {
  const at::Tensor own = tokens - shard_.first_token;
  const at::Tensor here = (own >= 0) & (own < shard_.tokens);
  at::Tensor hidden = weights_.embedding.index_select(0, own.clamp(0, shard_.tokens - 1));
  if (group_ != nullptr) {
    hidden = hidden * here.unsqueeze(1).to(type_);
    SRLM_RETURN_IF_ERROR(SumOverRanks(hidden));
  }
  hidden = hidden.to(at::kFloat);
  return config_.embedding_scale == 1 ? hidden : hidden * config_.embedding_scale;
}

Status AtenRunner::Block(int64_t layer, const Layers& layers, const at::Tensor& slots, at::Tensor& hidden) {
  const AtenBlock& block = weights_.blocks[static_cast<size_t>(layer)];
  const int64_t rows = hidden.size(0), dim = config_.head_dim;
  // 1. Attention.
  at::Tensor qkv = Linear(Norm(hidden, block.input_norm).to(type_), block.qkv).to(at::kFloat);
  if (block.qkv_bias.defined()) qkv = qkv + block.qkv_bias;
  at::Tensor queries = qkv.narrow(1, 0, config_.query_size()).view({rows, config_.heads, dim});
  at::Tensor keys = qkv.narrow(1, config_.query_size(), config_.kv_size()).view({rows, config_.kv_heads, dim});
  const at::Tensor values =
      qkv.narrow(1, config_.query_size() + config_.kv_size(), config_.kv_size()).view({rows, config_.kv_heads, dim});
  if (config_.head_norms) {
    queries = Norm(queries, block.q_norm);
    keys = Norm(keys, block.k_norm);
  }
  queries = Rotate(queries, layers.rotation).to(type_);
  keys = Rotate(keys, layers.rotation).to(type_);
  keys_[static_cast<size_t>(layer)].index_copy_(0, slots, keys);
  values_[static_cast<size_t>(layer)].index_copy_(0, slots, values.to(type_));
  at::Tensor attended = at::empty({rows, config_.query_size()}, queries.options());
  SRLM_RETURN_IF_ERROR(Attend(layer, layers, queries, attended));
  SRLM_RETURN_IF_ERROR(Add(Linear(attended, block.o), block.attention_norm, hidden));
  // 2. Feed-forward.
  const at::Tensor gate_up = Linear(Norm(hidden, block.middle_norm).to(type_), block.gate_up);
  const at::Tensor gate = gate_up.narrow(1, 0, config_.intermediate_size);
  const at::Tensor up = gate_up.narrow(1, config_.intermediate_size, config_.intermediate_size);
  const at::Tensor active = config_.activation == model::Activation::kSilu ? at::silu(gate) : at::gelu(gate, "tanh");
  return Add(Linear(active * up, block.down), block.mlp_norm, hidden);
}

Status AtenRunner::AttendPaged(int64_t layer, const AttentionCall& call, const at::Tensor& queries,
                               at::Tensor& attended) const {
  const at::Tensor query = queries.index_select(0, call.rows).contiguous();
  at::Tensor out = at::empty({call.spans, config_.query_size()}, query.options());
  device::PagedAttention task{};
  task.queries = query.data_ptr();
  task.keys = keys_[static_cast<size_t>(layer)].data_ptr();
  task.values = values_[static_cast<size_t>(layer)].data_ptr();
  task.pages = call.pages.data_ptr<int>();
  task.lengths = call.lengths.data_ptr<int>();
  task.out = out.data_ptr();
  task.type = type_ == at::kBFloat16 ? device::Element::kBFloat16 : device::Element::kFloat32;
  task.sequences = static_cast<int32_t>(call.spans);
  task.heads = static_cast<int32_t>(config_.heads);
  task.kv_heads = static_cast<int32_t>(config_.kv_heads);
  task.head_dim = static_cast<int32_t>(config_.head_dim);
  task.table_pages = static_cast<int32_t>(call.pages.size(1));
  task.page_tokens = options_.page_tokens;
  task.window = static_cast<int32_t>(config_.window_of(layer));
  task.scale = static_cast<float>(config_.score_scale());
  const device::EntryPoints& entry = *options_.compute.device->entry;
  if (const int error = entry.paged_attention(&task, entry.stream_of_aten()); error != device::kSuccess) {
    return device::DeviceFailure(entry, "paged attention", error);
  }
  attended.index_copy_(0, call.rows, out);
  return OkStatus();
}

Status AtenRunner::Attend(int64_t layer, const Layers& layers, const at::Tensor& queries, at::Tensor& attended) const {
  for (const AttentionCall& call : layers.calls) {
    if (call.pages.defined()) {
      SRLM_RETURN_IF_ERROR(AttendPaged(layer, call, queries, attended));
      continue;
    }
    // [spans, heads, rows or context, head_dim]
    const auto gather = [&](const at::Tensor& from, const at::Tensor& places, int64_t each) {
      return from.index_select(0, places).view({call.spans, each, from.size(1), from.size(2)}).transpose(1, 2);
    };
    const at::Tensor query = gather(queries, call.rows, call.span_rows);
    const at::Tensor key = gather(keys_[static_cast<size_t>(layer)], call.slots, call.context);
    const at::Tensor value = gather(values_[static_cast<size_t>(layer)], call.slots, call.context);
    at::Tensor out;
    if (call.mask.defined()) {
      // The heads that share keys become rows of one: kernels that take a mask know no groups of heads.
      const int64_t group = config_.heads / config_.kv_heads;
      out = at::scaled_dot_product_attention(
                query.reshape({call.spans, config_.kv_heads, group * call.span_rows, config_.head_dim}), key, value,
                call.span_rows == 1 ? call.mask : call.mask.repeat({1, 1, group, 1}), /*dropout_p=*/0,
                /*is_causal=*/false, config_.score_scale())
                .reshape({call.spans, config_.heads, call.span_rows, config_.head_dim});
    } else {
      out = at::scaled_dot_product_attention(query, key, value, {}, /*dropout_p=*/0, /*is_causal=*/true,
                                             config_.score_scale(),
                                             /*enable_gqa=*/config_.heads != config_.kv_heads);
    }
    attended.index_copy_(0, call.rows,
                         out.transpose(1, 2).reshape({call.spans * call.span_rows, config_.query_size()}));
  }
  return OkStatus();
}

Status AtenRunner::Add(at::Tensor product, const at::Tensor& norm, at::Tensor& hidden) {
  SRLM_RETURN_IF_ERROR(SumOverRanks(product));
  hidden.add_(norm.defined() ? Norm(product.to(at::kFloat), norm) : product);
  return OkStatus();
}

Status AtenRunner::SumOverRanks(at::Tensor& values) {
  if (group_ == nullptr) return OkStatus();
  values = values.contiguous();
  const parallel::Memory memory =
      options_.compute.device == nullptr ? parallel::Memory::kHost : parallel::Memory::kDevice;
  return group_->AllReduceSum({values.data_ptr(), values.numel(), TypeOf(values.scalar_type()), memory},
                              "a layer's sum");
}

Status AtenRunner::ReadOut(const StepBatch& batch, const at::Tensor& hidden, StepOutput& out) {
  const std::vector<int64_t> wanted(batch.logit_rows.begin(), batch.logit_rows.end());
  const auto total = static_cast<int64_t>(wanted.size());
  for (int64_t first = 0; first < total; first += kLogitRows) {
    const int64_t count = std::min(kLogitRows, total - first);
    const at::Tensor rows = hidden.index_select(0, Longs({wanted.begin() + first, wanted.begin() + first + count}));
    SRLM_ASSIGN_OR_RETURN(const at::Tensor logits, Logits(rows));
    if (!logits.defined()) continue;
    SRLM_RETURN_IF_ERROR(ReadLogits(logits, static_cast<int>(first), batch.samples, batch.scores,
                                    own_kernels() ? options_.compute.device->entry : nullptr, out.samples, out.scores));
  }
  return OkStatus();
}

Result<at::Tensor> AtenRunner::Logits(const at::Tensor& rows) {
  at::Tensor logits = Linear(Norm(rows, weights_.final_norm).to(type_), weights_.lm_head).to(at::kFloat);
  if (group_ == nullptr) return logits;
  // Every rank sends a block of one size: the last may have fewer tokens.
  const int64_t block = shard_.token_block, count = rows.size(0);
  logits = at::constant_pad_nd(logits, {0, block - logits.size(1)}).contiguous();
  const parallel::Memory memory =
      options_.compute.device == nullptr ? parallel::Memory::kHost : parallel::Memory::kDevice;
  at::Tensor all;
  if (shard_.rank == 0) all = at::empty({shard_.ranks, count, block}, logits.options());
  const parallel::Buffer receive = {shard_.rank == 0 ? all.data_ptr() : nullptr, shard_.rank == 0 ? all.numel() : 0,
                                    parallel::DataType::kFloat32, memory};
  SRLM_RETURN_IF_ERROR(
      group_->Gather({logits.data_ptr(), logits.numel(), parallel::DataType::kFloat32, memory}, receive, 0, "logits"));
  if (shard_.rank != 0) return at::Tensor();
  return all.transpose(0, 1).reshape({count, shard_.ranks * block}).narrow(1, 0, shard_.vocabulary_size);
}

at::Tensor AtenRunner::Norm(const at::Tensor& x, const at::Tensor& factor) const {
  return at::rms_norm(x, {x.size(-1)}, factor, config_.rms_norm_epsilon);
}

at::Tensor AtenRunner::Longs(const std::vector<int64_t>& values) const {
  return at::tensor(values, at::kLong).to(device_);
}

}  // namespace srlm::worker
