#include "trainer/parameters/adapter_parameters.h"

#include <algorithm>
#include <array>

#include "common/base/check.h"

namespace srlm::trainer {
namespace {

using config::LoraTarget;

/// The block's matrices that adapters can change.
std::array<at::Tensor BlockTensors::*, 4> Matrices() {
  return {&BlockTensors::qkv, &BlockTensors::o, &BlockTensors::gate_up, &BlockTensors::down};
}

}  // namespace

AdapterParameters::AdapterParameters(std::unique_ptr<Parameters> base, const model::LoraOptions& options, uint64_t seed,
                                     parallel::Communicator& communicator, Trace* trace)
    : Parameters(communicator, trace, base->place()), base_(std::move(base)), options_(options) {
  config_ = base_->config();
  table_ = model::MakeLoraTable(config_, options_, kPieceMultiple * communicator.size());
  adapters_ = at::empty({table_.total_elements}, Floats());
  Fill(adapters_, [&](std::span<float> values) { InitialLora(options_, table_, seed, values); });
  blocks_ = LoraPairsOf(config_, options_, table_, adapters_);
  merged_ = NewScratch();
}

/// Memory for the matrices that have adapters; the others stay undefined.
BlockTensors AdapterParameters::NewScratch() const {
  const auto any = [&](std::initializer_list<LoraTarget> targets) {
    return std::ranges::any_of(targets, [&](LoraTarget target) {
      return std::ranges::find(options_.targets, target) != options_.targets.end();
    });
  };
  const int64_t hidden = config_.hidden_size, inner = config_.intermediate_size;
  BlockTensors scratch;
  if (any({LoraTarget::kQuery, LoraTarget::kKey, LoraTarget::kValue})) {
    scratch.qkv = Empty(config_.query_size() + 2 * config_.kv_size(), hidden);
  }
  if (any({LoraTarget::kOutput})) scratch.o = Empty(hidden, config_.query_size());
  if (any({LoraTarget::kGate, LoraTarget::kUp})) scratch.gate_up = Empty(2 * inner, hidden);
  if (any({LoraTarget::kDown})) scratch.down = Empty(hidden, inner);
  return scratch;
}

Traffic AdapterParameters::traffic() const {
  Traffic all = collectives_.traffic();
  const Traffic of_base = base_->traffic();
  all.collectives += of_base.collectives;
  all.bytes += of_base.bytes;
  all.waited_s += of_base.waited_s;
  return all;
}

void AdapterParameters::AddAdapters(size_t layer, const BlockTensors& block) const {
  for (size_t i = 0; i < options_.targets.size(); ++i) {
    const LoraPair& pair = blocks_[layer][i];
    at::Tensor target = TargetOf(config_, block, options_.targets[i]);
    at::addmm_out(target, target, pair.b, pair.a, /*beta=*/1, /*alpha=*/options_.scale());
  }
}

Result<BlockTensors> AdapterParameters::Block(int64_t layer, int64_t next) {
  SRLM_ASSIGN_OR_RETURN(BlockTensors block, base_->Block(layer, next));
  for (const auto matrix : Matrices()) {
    if (!(merged_.*matrix).defined()) continue;
    if (merged_layer_ != layer) (merged_.*matrix).copy_(block.*matrix);
    block.*matrix = merged_.*matrix;
  }
  if (merged_layer_ != layer) AddAdapters(static_cast<size_t>(layer), block);
  merged_layer_ = layer;
  return block;
}

void AdapterParameters::BeginStep() {
  if (gradients_.defined()) {
    gradients_.zero_();
    return;
  }
  gradients_ = at::zeros_like(adapters_);
  block_gradients_ = LoraPairsOf(config_, options_, table_, gradients_);
  merged_gradients_ = NewScratch();
}

Result<BlockTensors> AdapterParameters::BlockGradients(int64_t) {
  for (const auto matrix : Matrices()) {
    if ((merged_gradients_.*matrix).defined()) (merged_gradients_.*matrix).zero_();
  }
  return merged_gradients_;
}

Status AdapterParameters::BlockGradientsDone(int64_t layer, bool) {
  const auto place = static_cast<size_t>(layer);
  for (size_t i = 0; i < options_.targets.size(); ++i) {
    const at::Tensor d_merged = TargetOf(config_, merged_gradients_, options_.targets[i]);
    LoraPair& gradient = block_gradients_[place][i];
    at::addmm_out(gradient.a, gradient.a, blocks_[place][i].b.t(), d_merged, 1, options_.scale());
    at::addmm_out(gradient.b, gradient.b, d_merged, blocks_[place][i].a.t(), 1, options_.scale());
  }
  return OkStatus();
}

/// Adapters are small: they are summed at once, when backward is done.
Status AdapterParameters::FinishGradients() {
  if (ranks() == 1) return OkStatus();
  const parallel::Buffer all = BufferOf(gradients_);
  const int64_t piece = PieceSize(table_.units[0]);
  const parallel::Buffer mine = all.Part(communicator_.rank() * piece, piece);
  SRLM_ASSIGN_OR_RETURN(const int64_t number, collectives_.ReduceScatterSum(all, mine, "gradients of the adapters"));
  SRLM_RETURN_IF_ERROR(collectives_.WaitFor(number));
  SRLM_RETURN_IF_ERROR(collectives_.AllGather(mine, all, "gradients of the adapters").status());
  return collectives_.WaitForAll();
}

OwnedStretch AdapterParameters::StretchAt(int64_t begin, int64_t count) {
  OwnedStretch stretch = {begin, adapters_.narrow(0, begin, count), {}};
  if (gradients_.defined()) stretch.gradients = gradients_.narrow(0, begin, count);
  return stretch;
}

std::vector<OwnedStretch> AdapterParameters::Owned() { return {StretchAt(0, table_.total_elements)}; }

std::vector<OwnedStretch> AdapterParameters::Pieces() {
  return {StretchAt(PieceBegin(table_.units[0]), PieceSize(table_.units[0]))};
}

Status AdapterParameters::PublishWeights() {
  merged_layer_ = -1;
  return OkStatus();
}

int64_t AdapterParameters::GradientElements() const {
  int64_t elements = table_.total_elements;
  for (const auto matrix : Matrices()) {
    if ((merged_.*matrix).defined()) elements += (merged_.*matrix).numel();
  }
  return elements;
}

/// With its adapters merged in.
Result<at::Tensor> AdapterParameters::WholeUnitAtPlace(size_t unit) {
  SRLM_ASSIGN_OR_RETURN(const at::Tensor base, base_->WholeUnitAtPlace(unit));
  if (unit == 0 || unit + 1 == model_table().units.size()) return base;
  if (!whole_.defined()) whole_ = at::empty_like(base);
  whole_.copy_(base);
  AddAdapters(unit - 1, BlockTensorsOf(config_, model_table(), unit - 1, whole_));
  return whole_;
}

}  // namespace srlm::trainer
