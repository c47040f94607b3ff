#include "trainer/network/cpu_network.h"

#include <fmt/format.h>

#include <cstring>

#include "trainer/kernels/row_kernels.h"
#include "trainer/network/row_ops.h"

namespace srlm::trainer {

CpuNetwork::CpuNetwork(std::unique_ptr<Parameters> parameters, int64_t max_positions)
    : Network(std::move(parameters)), rope_(config(), max_positions) {
  for (int64_t layer = 0; layer < config().layers; ++layer) {
    kept_.push_back(std::make_unique<BlockActivations>());
    inputs_.push_back(std::make_unique<Workspace>());
  }
  inputs_.push_back(std::make_unique<Workspace>());
}

BlockContext CpuNetwork::ContextOf(int64_t layer) const {
  const model::ModelConfig& model = config();
  return {&model,
          &rope_.of(layer),
          {model.heads, model.kv_heads, model.head_dim, model.score_scale(), model.window_of(layer)}};
}

/// The head's weights stay where they are, whatever comes into their memory.
Result<RootTensors> CpuNetwork::Root() {
  SRLM_ASSIGN_OR_RETURN(RootTensors root, parameters_->Root());
  if (!head_) head_ = std::make_unique<OutputHead>(root.lm_head);
  return root;
}

void CpuNetwork::Embed(const Pack& pack, const at::Tensor& table, at::Tensor& hidden) const {
  const int64_t width = config().hidden_size;
  for (int64_t row = 0; row < pack.size(); ++row) {
    std::memcpy(hidden.data_ptr<float>() + row * width,
                table.data_ptr<float>() + pack.tokens[static_cast<size_t>(row)] * width,
                static_cast<size_t>(width) * sizeof(float));
  }
  if (config().embedding_scale != 1) hidden.mul_(config().embedding_scale);
}

at::Tensor CpuNetwork::GatherTargets(const Pack& pack, const at::Tensor& hidden) {
  const int64_t width = config().hidden_size;
  at::Tensor gathered = gathered_.Get(pack.targets(), width);
  for (int64_t i = 0; i < pack.targets(); ++i) {
    std::memcpy(gathered.data_ptr<float>() + i * width,
                hidden.data_ptr<float>() + pack.target_rows[static_cast<size_t>(i)] * width,
                static_cast<size_t>(width) * sizeof(float));
  }
  return gathered;
}

at::Tensor CpuNetwork::NormTargets(const at::Tensor& gathered, const at::Tensor& weights) {
  at::Tensor normed = normed_.Get(gathered.size(0), gathered.size(1));
  at::Tensor rstd = normed_rstd_.Get(gathered.size(0), 1);
  RmsNorm(gathered, NormFactor(config(), weights), config().rms_norm_epsilon, normed, rstd);
  return normed;
}

void CpuNetwork::Computed(const char* what, int64_t layer, Clock::time_point begin) const {
  if (parameters_->trace() != nullptr) parameters_->trace()->Computed(fmt::format("{} {}", what, layer), begin);
}

/// Leaves the blocks' inputs in hidden_, all of them with `keep`, else the last one's output in hidden_[0]. Ranks
/// without a token fetch the blocks too: all ranks do.
Status CpuNetwork::Forward(const Pack& pack, const Dropout& masks, bool keep) {
  const int64_t layers = config().layers, tokens = pack.size();
  SRLM_ASSIGN_OR_RETURN(const RootTensors root, Root());
  hidden_.clear();
  for (size_t i = 0; tokens > 0 && i < (keep ? inputs_.size() : 2); ++i) {
    hidden_.push_back(inputs_[i]->Get(tokens, config().hidden_size));
  }
  if (tokens > 0) Embed(pack, root.embedding, hidden_[0]);
  for (int64_t layer = 0; layer < layers; ++layer) {
    SRLM_ASSIGN_OR_RETURN(const BlockTensors block, parameters_->Block(layer, layer + 1 < layers ? layer + 1 : -1));
    if (tokens == 0) continue;
    const Clock::time_point begin = Clock::now();
    const size_t place = keep ? static_cast<size_t>(layer) : 0;
    BlockForward(ContextOf(layer), pack, block, {&masks, layer}, hidden_[place], keep ? Kept(layer) : *kept_[0],
                 scratch_, hidden_[place + 1]);
    if (!keep) std::swap(hidden_[0], hidden_[1]);
    Computed("forward of block", layer, begin);
  }
  return OkStatus();
}

Result<std::vector<double>> CpuNetwork::SequenceLogp(const Pack& pack) {
  SRLM_RETURN_IF_ERROR(Forward(pack, Dropout({}, pack), /*keep=*/false));
  if (pack.size() == 0) return std::vector<double>{};
  SRLM_ASSIGN_OR_RETURN(const RootTensors root, Root());
  return head_->SequenceLogp(pack, NormTargets(GatherTargets(pack, hidden_[0]), root.final_norm));
}

/// The head on target rows, both ways: d_hidden is the gradient of the last block's output.
Result<std::vector<double>> CpuNetwork::HeadForwardBackward(const Pack& pack, const SequenceGradient& gradient,
                                                            at::Tensor& d_hidden) {
  const Clock::time_point begin = Clock::now();
  const int64_t width = config().hidden_size;
  SRLM_ASSIGN_OR_RETURN(const RootTensors root, Root());
  RootTensors gradients = parameters_->RootGradients();
  at::Tensor gathered = GatherTargets(pack, hidden_.back());
  at::Tensor normed = NormTargets(gathered, root.final_norm);
  at::Tensor d_normed = d_normed_.Get(pack.targets(), width);
  std::vector<double> logp = head_->SequenceLogpAndBackward(pack, normed, gradient, d_normed, gradients.lm_head);
  at::Tensor d_gathered = d_gathered_.Get(pack.targets(), width).zero_();
  RmsNormBackward(gathered, NormFactor(config(), root.final_norm), normed_rstd_.Get(pack.targets(), 1), d_normed,
                  d_gathered, gradients.final_norm);
  d_hidden = d_hidden_.Get(pack.size(), width).zero_();
  for (int64_t i = 0; i < pack.targets(); ++i) {  // a prompt's last row predicts for both responses
    kernels::AddRow(width, d_gathered.data_ptr<float>() + i * width, 1.0f,
                    d_hidden.data_ptr<float>() + pack.target_rows[static_cast<size_t>(i)] * width);
  }
  if (parameters_->trace() != nullptr) parameters_->trace()->Computed("the head", begin);
  return logp;
}

/// The last block first; then what the embedding gets.
Status CpuNetwork::Backward(const Pack& pack, const Dropout& masks, at::Tensor& d_hidden, bool last) {
  for (int64_t layer = config().layers - 1; layer >= 0; --layer) {
    SRLM_ASSIGN_OR_RETURN(const BlockTensors block, parameters_->Block(layer, layer - 1));
    SRLM_ASSIGN_OR_RETURN(const BlockTensors gradients, parameters_->BlockGradients(layer));
    if (pack.size() > 0) {
      const Clock::time_point begin = Clock::now();
      const auto place = static_cast<size_t>(layer);
      const BlockDropout dropout = {&masks, layer};
      if (recompute_) {
        // The next block's input is no longer needed: this one's output goes there again.
        BlockForward(ContextOf(layer), pack, block, dropout, hidden_[place], Kept(layer), scratch_, hidden_[place + 1]);
      }
      BlockBackward(ContextOf(layer), pack, block, dropout, hidden_[place], Kept(layer), scratch_, d_hidden, gradients);
      Computed("backward of block", layer, begin);
    }
    SRLM_RETURN_IF_ERROR(parameters_->BlockGradientsDone(layer, last));
  }
  const at::Tensor d_table = parameters_->RootGradients().embedding;
  if (pack.size() > 0 && d_table.defined()) EmbedBackward(pack, d_hidden, d_table);
  return parameters_->RootGradientsDone(last);
}

Result<std::vector<double>> CpuNetwork::ForwardBackward(const Pack& pack, const SequenceGradient& gradient, bool last) {
  const Dropout masks(dropout_, pack);
  SRLM_RETURN_IF_ERROR(Forward(pack, masks, /*keep=*/true));
  std::vector<double> logp;
  at::Tensor d_hidden;
  if (pack.size() > 0) {
    SRLM_ASSIGN_OR_RETURN(logp, HeadForwardBackward(pack, gradient, d_hidden));
  }
  SRLM_RETURN_IF_ERROR(Backward(pack, masks, d_hidden, last));
  return logp;
}

void CpuNetwork::EmbedBackward(const Pack& pack, const at::Tensor& d_hidden, at::Tensor d_table) const {
  const int64_t width = config().hidden_size;
  const auto scale = static_cast<float>(config().embedding_scale);
  for (int64_t row = 0; row < pack.size(); ++row) {
    const int64_t token = pack.tokens[static_cast<size_t>(row)];
    if (token == config().padding_token) continue;  // as torch's Embedding(padding_idx), which is what TRL trains
    kernels::AddRow(width, d_hidden.data_ptr<float>() + row * width, scale, d_table.data_ptr<float>() + token * width);
  }
}

}  // namespace srlm::trainer
