#include "trainer/parameters/parted_parameters.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/check.h"

namespace srlm::trainer {
void PartedParameters::ReadWeights(const model::WeightFiles& files) {
  int64_t elements = 0;
  for (const model::ParameterUnit& unit : table_.units) {
    local_begins_.push_back(elements);
    elements += PieceSize(unit);
  }
  local_weights_ = Zeros(elements);
  for (size_t unit = 0; unit < table_.units.size(); ++unit) {
    Fill(Piece(local_weights_, unit),
         [&](std::span<float> values) { files.ReadRange(table_, PieceBegin(table_.units[unit]), values); });
  }
  root_ = {Zeros(table_.units.front().room), Zeros(table_.units.back().room)};
  root_tensors_ = RootTensorsOf(config_, table_, root_[0], root_[1]);
  for (Slot& slot : weights_) slot = MakeSlot();
}

PartedParameters::Slot PartedParameters::MakeSlot() {
  for (size_t layer = 1; layer < table_.blocks.size(); ++layer) {
    SRLM_CHECK(table_.units[layer + 1].room == table_.units[1].room, "blocks of different sizes");
  }
  Slot slot;
  slot.flat = Zeros(table_.units[1].room);
  slot.tensors = BlockTensorsOf(config_, table_, 0, slot.flat);  // all blocks are alike inside
  return slot;
}

at::Tensor PartedParameters::Piece(at::Tensor& local, size_t unit) const {
  return local.narrow(0, local_begins_[unit], PieceSize(table_.units[unit]));
}

Status PartedParameters::Gather(size_t unit, at::Tensor& whole, int64_t& number) {
  SRLM_ASSIGN_OR_RETURN(number, collectives_.AllGather(BufferOf(Piece(local_weights_, unit)), BufferOf(whole),
                                                       fmt::format("weights of {}", NameOfUnit(unit))));
  return OkStatus();
}

Status PartedParameters::GatherRoot() {
  SRLM_RETURN_IF_ERROR(Gather(0, root_[0], root_numbers_[0]));
  SRLM_RETURN_IF_ERROR(Gather(LastUnit(), root_[1], root_numbers_[1]));
  root_is_whole_ = true;
  return OkStatus();
}

Result<RootTensors> PartedParameters::Root() {
  if (!root_is_whole_) SRLM_RETURN_IF_ERROR(GatherRoot());
  SRLM_RETURN_IF_ERROR(collectives_.WaitFor(root_numbers_[1]));
  return root_tensors_;
}

PartedParameters::Slot* PartedParameters::SlotOf(int64_t layer) {
  const auto slot = std::ranges::find(weights_, layer, &Slot::layer);
  return slot == weights_.end() ? nullptr : &*slot;
}

/// The slot that has the block or begins to; never `keep`.
Result<PartedParameters::Slot*> PartedParameters::Fetch(int64_t layer, const Slot* keep) {
  if (Slot* there = SlotOf(layer); there != nullptr) return there;
  Slot& slot = &weights_[0] == keep ? weights_[1] : weights_[0];
  slot.layer = layer;
  SRLM_RETURN_IF_ERROR(Gather(static_cast<size_t>(layer) + 1, slot.flat, slot.number));
  return &slot;
}

Result<BlockTensors> PartedParameters::Block(int64_t layer, int64_t next) {
  const Slot* after = next < 0 ? nullptr : SlotOf(next);
  SRLM_ASSIGN_OR_RETURN(Slot* const slot, Fetch(layer, after));
  SRLM_RETURN_IF_ERROR(collectives_.WaitFor(slot->number));
  if (next >= 0) SRLM_RETURN_IF_ERROR(Fetch(next, slot).status());
  return slot->tensors;
}

/// This rank's pieces, and what is whole or on its way: the root and two blocks, and a piece of each.
int64_t PartedParameters::GradientElements() const {
  const int64_t whole = table_.units.front().room + table_.units.back().room + 2 * table_.units[1].room;
  return local_weights_.numel() + whole + whole / ranks();
}

void PartedParameters::MakeGradients() {
  local_gradients_ = at::zeros_like(local_weights_);
  root_gradient_ = {at::zeros_like(root_[0]), at::zeros_like(root_[1])};
  root_gradients_ = RootTensorsOf(config_, table_, root_gradient_[0], root_gradient_[1]);
  root_sum_ = {Zeros(PieceSize(table_.units.front())), Zeros(PieceSize(table_.units.back()))};
  for (Slot& slot : gradients_) {
    slot = MakeSlot();
    slot.sum = Zeros(PieceSize(table_.units[1]));
  }
}

void PartedParameters::BeginStep() {
  if (!local_gradients_.defined()) return MakeGradients();
  local_gradients_.zero_();
  for (at::Tensor& flat : root_gradient_) flat.zero_();
}

/// Its content of before is on its way, and has the time of a whole block for it.
Result<BlockTensors> PartedParameters::BlockGradients(int64_t layer) {
  next_gradients_ = 1 - next_gradients_;
  Slot& slot = gradients_[next_gradients_];
  if (slot.number >= 0) SRLM_RETURN_IF_ERROR(collectives_.WaitFor(slot.number));
  slot.flat.zero_();
  slot.layer = layer;
  return slot.tensors;
}

Status PartedParameters::SumUnit(size_t unit, at::Tensor& whole, at::Tensor& sum, int64_t& number) {
  SRLM_ASSIGN_OR_RETURN(number, collectives_.ReduceScatterSum(
                                    BufferOf(whole), BufferOf(sum), fmt::format("gradients of {}", NameOfUnit(unit)),
                                    [this, unit, &sum] { Piece(local_gradients_, unit).add_(sum); }));
  return OkStatus();
}

Status PartedParameters::BlockGradientsDone(int64_t layer, bool) {
  Slot& slot = gradients_[next_gradients_];
  SRLM_CHECK(slot.layer == layer, "another block's gradients");
  return SumUnit(static_cast<size_t>(layer) + 1, slot.flat, slot.sum, slot.number);
}

Status PartedParameters::RootGradientsDone(bool last) {
  if (!last) return OkStatus();
  SRLM_RETURN_IF_ERROR(SumUnit(0, root_gradient_[0], root_sum_[0], root_numbers_[0]));
  return SumUnit(LastUnit(), root_gradient_[1], root_sum_[1], root_numbers_[1]);
}

std::vector<OwnedStretch> PartedParameters::Pieces() {
  std::vector<OwnedStretch> pieces;
  for (size_t unit = 0; unit < table_.units.size(); ++unit) {
    OwnedStretch piece = {PieceBegin(table_.units[unit]), Piece(local_weights_, unit), {}};
    if (local_gradients_.defined()) piece.gradients = Piece(local_gradients_, unit);
    pieces.push_back(piece);
  }
  return pieces;
}

/// Whoever asks next gathers.
Status PartedParameters::PublishWeights() {
  SRLM_RETURN_IF_ERROR(collectives_.WaitForAll());
  root_is_whole_ = false;
  for (Slot& slot : weights_) slot.layer = -1;
  return OkStatus();
}

Result<at::Tensor> PartedParameters::WholeUnitAtPlace(size_t unit) {
  const at::Tensor* whole = nullptr;
  if (unit == 0 || unit == LastUnit()) {
    SRLM_RETURN_IF_ERROR(Root().status());
    whole = &root_[unit == 0 ? 0 : 1];
  } else {
    SRLM_ASSIGN_OR_RETURN(const Slot* const slot, Fetch(static_cast<int64_t>(unit) - 1, nullptr));
    SRLM_RETURN_IF_ERROR(collectives_.WaitFor(slot->number));
    whole = &slot->flat;
  }
  return *whole;
}

}  // namespace srlm::trainer
