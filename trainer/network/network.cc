#include "trainer/network/network.h"

#include <ATen/Parallel.h>

#include <cstring>

#include "trainer/kernels/row_kernels.h"
#include "trainer/network/row_ops.h"

namespace srlm::trainer {
namespace {

at::Tensor VectorOf(const model::Parameter& parameter, const at::Tensor& flat) {
  return flat.narrow(0, parameter.offset, parameter.elements);
}

at::Tensor MatrixOf(const model::Parameter& parameter, const at::Tensor& flat) {
  return VectorOf(parameter, flat).view({parameter.shape[0], parameter.shape[1]});
}

}  // namespace

Result<std::unique_ptr<Network>> Network::Load(const std::string& folder, int64_t max_positions) {
  std::unique_ptr<Network> network(new Network);
  SRLM_ASSIGN_OR_RETURN(network->config_, model::ReadModelConfig(folder));
  const model::ModelConfig& config = network->config_;
  network->table_ = model::MakeParameterTable(config);
  SRLM_ASSIGN_OR_RETURN(const model::WeightFiles files, model::WeightFiles::Open(folder, network->table_));
  network->weights_ = at::empty({network->table_.total_elements}, at::TensorOptions().dtype(at::kFloat));
  files.ReadAll(network->table_, network->weights());
  network->rope_ = model::MakeRopeTable(config, max_positions);
  network->context_ = {&network->config_, &network->rope_, {config.heads, config.kv_heads, config.head_dim}};
  for (size_t layer = 0; layer < network->table_.blocks.size(); ++layer) {
    network->block_weights_.push_back(BlockTensorsAt(config, network->table_, layer, network->weights_));
    network->kept_.push_back(std::make_unique<BlockActivations>());
    network->inputs_.push_back(std::make_unique<Workspace>());
  }
  network->inputs_.push_back(std::make_unique<Workspace>());
  network->head_ =
      std::make_unique<OutputHead>(MatrixOf(network->table_.at(network->table_.lm_head), network->weights_));
  return network;
}

void Network::Embed(const Pack& pack, at::Tensor& hidden) const {
  const int64_t width = config_.hidden_size;
  const float* table = weights_.data_ptr<float>() + table_.at(table_.embedding).offset;
  for (int64_t row = 0; row < pack.size(); ++row) {
    std::memcpy(hidden.data_ptr<float>() + row * width, table + pack.tokens[static_cast<size_t>(row)] * width,
                static_cast<size_t>(width) * sizeof(float));
  }
}

at::Tensor Network::GatherTargets(const Pack& pack, const at::Tensor& hidden) {
  const int64_t width = config_.hidden_size;
  at::Tensor gathered = gathered_.Get(pack.targets(), width);
  for (int64_t i = 0; i < pack.targets(); ++i) {
    std::memcpy(gathered.data_ptr<float>() + i * width,
                hidden.data_ptr<float>() + pack.target_rows[static_cast<size_t>(i)] * width,
                static_cast<size_t>(width) * sizeof(float));
  }
  return gathered;
}

at::Tensor Network::NormTargets(const at::Tensor& gathered) {
  at::Tensor normed = normed_.Get(gathered.size(0), gathered.size(1));
  at::Tensor rstd = normed_rstd_.Get(gathered.size(0), 1);
  RmsNorm(gathered, VectorOf(table_.at(table_.final_norm), weights_), config_.rms_norm_epsilon, normed, rstd);
  return normed;
}

std::vector<double> Network::SequenceLogp(const Pack& pack) {
  if (pack.size() == 0) return {};
  at::Tensor hidden = inputs_[0]->Get(pack.size(), config_.hidden_size);
  at::Tensor next = inputs_[1]->Get(pack.size(), config_.hidden_size);
  Embed(pack, hidden);
  for (const BlockTensors& block : block_weights_) {
    BlockForward(context_, pack, block, {}, hidden, *kept_.front(), scratch_, next);
    std::swap(hidden, next);
  }
  return head_->SequenceLogp(pack, NormTargets(GatherTargets(pack, hidden)));
}

void Network::ZeroGradients() {
  if (!gradients_.defined()) {
    gradients_ = at::zeros_like(weights_);
    for (size_t layer = 0; layer < table_.blocks.size(); ++layer) {
      block_gradients_.push_back(BlockTensorsAt(config_, table_, layer, gradients_));
    }
    return;
  }
  gradients_.zero_();
}

ElementRange Network::BlockRange(size_t layer) const {
  const model::Parameter& first = table_.at(table_.blocks[layer].input_norm);
  const model::Parameter& last = table_.at(table_.blocks[layer].down);
  return {first.offset, last.offset + last.elements - first.offset};
}

std::vector<double> Network::ForwardBackward(const Pack& pack, const SequenceGradient& gradient,
                                             const RangeDone& range_done) {
  const size_t layers = block_weights_.size();
  const int64_t tokens = pack.size(), width = config_.hidden_size;
  const Dropout masks(dropout_, pack);
  const auto dropout = [&](size_t layer) { return BlockDropout{&masks, static_cast<int64_t>(layer)}; };
  std::vector<double> logp;
  at::Tensor d_hidden;
  std::vector<at::Tensor> inputs;
  const auto kept = [&](size_t layer) -> BlockActivations& { return *kept_[recompute_ ? 0 : layer]; };
  if (tokens > 0) {
    // 1. Forward, block by block.
    for (const auto& memory : inputs_) inputs.push_back(memory->Get(tokens, width));
    Embed(pack, inputs[0]);
    for (size_t layer = 0; layer < layers; ++layer) {
      BlockForward(context_, pack, block_weights_[layer], dropout(layer), inputs[layer], kept(layer), scratch_,
                   inputs[layer + 1]);
    }
    // 2. The head on target rows, both ways.
    at::Tensor gathered = GatherTargets(pack, inputs[layers]);
    at::Tensor normed = NormTargets(gathered);
    at::Tensor d_normed = d_normed_.Get(pack.targets(), width);
    at::Tensor d_head = MatrixOf(table_.at(table_.lm_head), gradients_);
    logp = head_->SequenceLogpAndBackward(pack, normed, gradient, d_normed, d_head);
    at::Tensor d_gathered = d_gathered_.Get(pack.targets(), width).zero_();
    const model::Parameter& final_norm = table_.at(table_.final_norm);
    RmsNormBackward(gathered, VectorOf(final_norm, weights_), normed_rstd_.Get(pack.targets(), 1), d_normed, d_gathered,
                    VectorOf(final_norm, gradients_));
    d_hidden = d_hidden_.Get(tokens, width).zero_();
    for (int64_t i = 0; i < pack.targets(); ++i) {  // a prompt's last row predicts for both responses
      kernels::AddRow(width, d_gathered.data_ptr<float>() + i * width,
                      d_hidden.data_ptr<float>() + pack.target_rows[static_cast<size_t>(i)] * width);
    }
  }
  // 3. Backward, the last block first.
  for (size_t layer = layers; layer-- > 0;) {
    if (tokens > 0) {
      if (recompute_) {
        // inputs[layer + 1] is no longer needed: the block's output goes there again.
        BlockForward(context_, pack, block_weights_[layer], dropout(layer), inputs[layer], kept(layer), scratch_,
                     inputs[layer + 1]);
      }
      BlockBackward(context_, pack, block_weights_[layer], dropout(layer), inputs[layer], kept(layer), scratch_,
                    d_hidden, block_gradients_[layer]);
    }
    if (range_done) range_done(BlockRange(layer));
  }
  // 4. The root unit: embedding, final norm, head.
  if (tokens > 0) RootBackward(pack, d_hidden);
  if (range_done) {
    const int64_t embedding = table_.at(table_.embedding).elements;
    const int64_t tail = table_.at(table_.final_norm).offset;
    range_done({0, embedding});
    range_done({tail, table_.total_elements - tail});
  }
  return logp;
}

void Network::RootBackward(const Pack& pack, const at::Tensor& d_hidden) {
  const int64_t width = config_.hidden_size;
  float* d_table = gradients_.data_ptr<float>() + table_.at(table_.embedding).offset;
  for (int64_t row = 0; row < pack.size(); ++row) {
    const int64_t token = pack.tokens[static_cast<size_t>(row)];
    if (token == config_.padding_token) continue;  // as torch's Embedding(padding_idx), which is what TRL trains
    kernels::AddRow(width, d_hidden.data_ptr<float>() + row * width, d_table + token * width);
  }
}

int64_t Network::ActivationBytes(int64_t tokens, bool recompute) const {
  const int64_t inputs = (config_.layers + 1) * config_.hidden_size * 4;
  const int64_t blocks = recompute ? 1 : config_.layers;
  // The shared scratch: norm, SwiGLU and its gradient, those of qkv, hidden states, targets and (with dropout) a part.
  const int64_t scratch =
      4 * (9 * config_.hidden_size + 3 * config_.intermediate_size + 2 * config_.query_size() + 2 * config_.kv_size());
  return tokens * (inputs + blocks * BlockActivations::BytesPerToken(config_) + scratch);
}

}  // namespace srlm::trainer
