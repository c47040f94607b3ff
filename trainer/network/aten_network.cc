#include "trainer/network/aten_network.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <array>

#include "common/aten/guarded.h"

namespace srlm::trainer {
namespace {

constexpr int64_t kChunkBytes = int64_t{256} << 20;  // of logits at once
constexpr char kMoreRoom[] =
    "lower dpo.micro_batch_tokens, ask for activation_checkpointing: block, or raise trainer.ranks with "
    "trainer.sharding";

constexpr std::array kBlockTensors = {
    &BlockTensors::input_norm, &BlockTensors::qkv,  &BlockTensors::qkv_bias,       &BlockTensors::q_norm,
    &BlockTensors::k_norm,     &BlockTensors::o,    &BlockTensors::attention_norm, &BlockTensors::middle_norm,
    &BlockTensors::gate_up,    &BlockTensors::down, &BlockTensors::mlp_norm};

/// A view that autograd takes for a parameter of its own.
at::Tensor Leaf(const at::Tensor& tensor) { return tensor.detach().requires_grad_(true); }

}  // namespace

AtenNetwork::AtenNetwork(std::unique_ptr<Parameters> parameters, int64_t max_positions)
    : Network(std::move(parameters)), device_(parameters_->place().device), numbers_(parameters_->place().numbers) {
  all_ = MakeRotation(config().rope, config().head_dim, max_positions, device_);
  local_ =
      config().own_local_rope ? MakeRotation(config().local_rope, config().head_dim, max_positions, device_) : all_;
}

AtenBlockContext AtenNetwork::ContextOf(int64_t layer, const PackOnDevice& indices, const Dropout& masks) const {
  AtenBlockContext context;
  context.config = &config();
  context.window = config().window_of(layer);
  context.rotation = (config().local(layer) ? local_ : all_).Of(indices.positions);
  context.numbers = numbers_;
  if (masks.active()) {
    const int64_t width = config().hidden_size;
    context.attention_dropout = masks.Mask(DropoutPlace(layer, BlockPart::kAttention), width).to(device_);
    context.mlp_dropout = masks.Mask(DropoutPlace(layer, BlockPart::kMlp), width).to(device_);
  }
  return context;
}

void AtenNetwork::Computed(const char* what, int64_t layer, Clock::time_point begin) const {
  if (parameters_->trace() != nullptr) parameters_->trace()->Computed(fmt::format("{} {}", what, layer), begin);
}

AtenNetwork::Graph AtenNetwork::MakeGraph(int64_t layer, const Pack& pack, const PackOnDevice& indices,
                                          const Dropout& masks, const BlockTensors& block, const at::Tensor& x) const {
  const at::AutoGradMode grad(true);
  Graph graph;
  graph.weights = block;
  graph.inputs = {Leaf(x)};
  for (const auto name : kBlockTensors) {
    if (!(block.*name).defined()) continue;
    graph.weights.*name = Leaf(block.*name);
    graph.inputs.push_back(graph.weights.*name);
    graph.names.push_back(name);
  }
  graph.out = AtenBlockForward(ContextOf(layer, indices, masks), pack, graph.weights, graph.inputs.front());
  return graph;
}

/// Ranks without a token fetch the blocks too: all ranks do.
Status AtenNetwork::Forward(const Pack& pack, const PackOnDevice& indices, const Dropout& masks, bool keep) {
  const int64_t layers = config().layers;
  const bool keep_graphs = keep && !recompute_ && parameters_->blocks_stay();
  hidden_.clear();
  graphs_.clear();
  SRLM_ASSIGN_OR_RETURN(const RootTensors root, parameters_->Root());
  at::Tensor hidden;
  if (pack.size() > 0) hidden = root.embedding.index_select(0, indices.tokens) * config().embedding_scale;
  for (int64_t layer = 0; layer < layers; ++layer) {
    SRLM_ASSIGN_OR_RETURN(const BlockTensors block, parameters_->Block(layer, layer + 1 < layers ? layer + 1 : -1));
    if (pack.size() == 0) continue;
    const Clock::time_point begin = Clock::now();
    if (keep) hidden_.push_back(hidden);
    if (keep_graphs) {
      graphs_.push_back(MakeGraph(layer, pack, indices, masks, block, hidden));
      hidden = graphs_.back().out.detach();
    } else {
      hidden = AtenBlockForward(ContextOf(layer, indices, masks), pack, block, hidden);
    }
    Computed("forward of block", layer, begin);
  }
  hidden_.push_back(hidden);
  return OkStatus();
}

Result<std::vector<double>> AtenNetwork::SequenceLogp(const Pack& pack) {
  return Guarded(kMoreRoom, [&]() -> Result<std::vector<double>> {
    const at::NoGradGuard no_grad;
    const PackOnDevice indices(pack, device_);
    SRLM_RETURN_IF_ERROR(Forward(pack, indices, Dropout({}, pack), /*keep=*/false));
    at::Tensor none;
    return Head(pack, indices, nullptr, none);
  });
}

Result<std::vector<double>> AtenNetwork::ForwardBackward(const Pack& pack, const SequenceGradient& gradient,
                                                         bool last) {
  return Guarded(kMoreRoom, [&]() -> Result<std::vector<double>> {
    const at::NoGradGuard no_grad;
    const PackOnDevice indices(pack, device_);
    const Dropout masks(dropout_, pack);
    SRLM_RETURN_IF_ERROR(Forward(pack, indices, masks, /*keep=*/true));
    at::Tensor d_hidden;
    SRLM_ASSIGN_OR_RETURN(std::vector<double> logp, Head(pack, indices, &gradient, d_hidden));
    SRLM_RETURN_IF_ERROR(Backward(pack, indices, masks, d_hidden, last));
    return logp;
  });
}

/// Log-probabilities of the pack's sequences; with `gradient`, also that of the last block's output. Logits exist for a
/// chunk of targets, and are computed again for the way back where there are several chunks.
Result<std::vector<double>> AtenNetwork::Head(const Pack& pack, const PackOnDevice& indices,
                                              const SequenceGradient* gradient, at::Tensor& d_hidden) {
  if (pack.size() == 0) return std::vector<double>{};
  const Clock::time_point begin = Clock::now();
  SRLM_ASSIGN_OR_RETURN(const RootTensors root, parameters_->Root());
  // 1. Forward: every target's log-probability, which the host waits for.
  const at::Tensor gathered = Leaf(hidden_.back().index_select(0, indices.target_rows));
  const at::Tensor norm = Leaf(root.final_norm);
  at::Tensor normed;
  {
    const at::AutoGradMode grad(gradient != nullptr);
    normed = AtenNorm(config(), gathered, norm);
  }
  const at::Tensor x = normed.detach().to(numbers_), head = root.lm_head.to(numbers_);
  const int64_t targets = pack.targets();
  const int64_t chunk = std::max<int64_t>(64, kChunkBytes / 4 / head.size(0));
  at::Tensor logits;
  const auto compute = [&](int64_t first, int64_t count) {
    logits = at::linear(x.narrow(0, first, count), head).to(at::kFloat);
  };
  std::vector<at::Tensor> sums, values;
  for (int64_t first = 0; first < targets; first += chunk) {
    const int64_t count = std::min(chunk, targets - first);
    compute(first, count);
    sums.push_back(logits.logsumexp(1));
    values.push_back(logits.gather(1, indices.target_tokens.narrow(0, first, count).unsqueeze(1)).squeeze(1));
  }
  const at::Tensor log_sum = at::cat(sums);
  const at::Tensor logp = (at::cat(values).to(at::kDouble) - log_sum.to(at::kDouble)).cpu();
  std::vector<double> of_sequences;
  for (const PackedSequence& sequence : pack.sequences) {
    double sum = 0;
    for (int64_t i = 0; i < sequence.target_count; ++i) sum += logp.data_ptr<double>()[sequence.target_begin + i];
    of_sequences.push_back(sum);
  }
  if (gradient == nullptr) return of_sequences;
  // 2. What the loss says of each sequence.
  std::vector<double> d_sequences(of_sequences.size());
  for (const PackedSample& sample : pack.samples) {
    const size_t count = sample.sequence_end - sample.sequence_begin;
    (*gradient)(sample.sample, std::span(of_sequences).subspan(sample.sequence_begin, count),
                std::span(d_sequences).subspan(sample.sequence_begin, count));
  }
  at::Tensor d_logp = at::empty({targets, 1}, at::kFloat);
  for (size_t i = 0; i < d_sequences.size(); ++i) {
    std::fill_n(d_logp.data_ptr<float>() + pack.sequences[i].target_begin, pack.sequences[i].target_count,
                static_cast<float>(d_sequences[i]));
  }
  d_logp = d_logp.to(device_);
  // 3. Backward, through log-softmax and lm_head, then the norm.
  const RootTensors gradients = parameters_->RootGradients();
  at::Tensor d_normed = at::empty_like(gathered);
  for (int64_t first = 0; first < targets; first += chunk) {
    const int64_t count = std::min(chunk, targets - first);
    if (count < targets) compute(first, count);
    const at::Tensor factor = d_logp.narrow(0, first, count);
    at::Tensor d_logits = (logits - log_sum.narrow(0, first, count).unsqueeze(1)).exp_().mul_(-factor);
    d_logits.scatter_add_(1, indices.target_tokens.narrow(0, first, count).unsqueeze(1), factor);
    d_logits = d_logits.to(numbers_);
    d_normed.narrow(0, first, count).copy_(at::mm(d_logits, head));
    if (gradients.lm_head.defined()) {
      at::Tensor(gradients.lm_head).add_(at::mm(d_logits.t(), x.narrow(0, first, count)));
    }
  }
  const auto back = torch::autograd::grad({normed}, {gathered, norm}, {d_normed});
  if (gradients.final_norm.defined()) at::Tensor(gradients.final_norm).add_(back[1]);
  d_hidden = at::zeros_like(hidden_.back());
  d_hidden.index_add_(0, indices.target_rows, back[0]);  // a prompt's last row predicts for both responses
  if (parameters_->trace() != nullptr) parameters_->trace()->Computed("the head", begin);
  return of_sequences;
}

/// The last block first; then what the embedding gets.
Status AtenNetwork::Backward(const Pack& pack, const PackOnDevice& indices, const Dropout& masks, at::Tensor d_hidden,
                             bool last) {
  for (int64_t layer = config().layers - 1; layer >= 0; --layer) {
    SRLM_ASSIGN_OR_RETURN(const BlockTensors block, parameters_->Block(layer, layer - 1));
    SRLM_ASSIGN_OR_RETURN(const BlockTensors gradients, parameters_->BlockGradients(layer));
    if (pack.size() > 0) {
      const Clock::time_point begin = Clock::now();
      const auto place = static_cast<size_t>(layer);
      Graph graph = graphs_.empty() ? MakeGraph(layer, pack, indices, masks, block, hidden_[place])
                                    : std::exchange(graphs_[place], {});
      // Only what is trained: for the others nothing is computed.
      std::vector<at::Tensor> inputs = {graph.inputs[0]}, wanted;
      for (size_t i = 0; i < graph.names.size(); ++i) {
        const at::Tensor& gradient = gradients.*graph.names[i];
        if (!gradient.defined()) continue;
        inputs.push_back(graph.inputs[i + 1]);
        wanted.push_back(gradient);
      }
      const auto back = torch::autograd::grad({graph.out}, inputs, {d_hidden});
      d_hidden = back[0];
      for (size_t i = 0; i < wanted.size(); ++i) wanted[i].add_(back[i + 1]);
      hidden_[place + 1] = at::Tensor();
      Computed("backward of block", layer, begin);
    }
    SRLM_RETURN_IF_ERROR(parameters_->BlockGradientsDone(layer, last));
  }
  const at::Tensor d_table = parameters_->RootGradients().embedding;
  if (pack.size() > 0 && d_table.defined()) {
    at::Tensor d_rows = d_hidden * config().embedding_scale;
    if (config().padding_token >= 0) {  // as torch's Embedding(padding_idx), which is what TRL trains
      d_rows = d_rows * (indices.tokens != config().padding_token).unsqueeze(1).to(at::kFloat);
    }
    at::Tensor(d_table).index_add_(0, indices.tokens, d_rows);
  }
  return parameters_->RootGradientsDone(last);
}

}  // namespace srlm::trainer
