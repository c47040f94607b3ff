#include "trainer/parameters/whole_parameters.h"

#include <fmt/format.h>

namespace srlm::trainer {
namespace {

constexpr size_t kSumsUnderWay = 2;  // a sum has the time of so many blocks before it is waited for

}  // namespace

void WholeParameters::ReadWeights(const model::WeightFiles& files) {
  weights_ = at::empty({table_.total_elements}, Floats());
  for (size_t unit = 0; unit < table_.units.size(); ++unit) {
    Fill(UnitOf(weights_, unit),
         [&](std::span<float> values) { files.ReadRange(table_, table_.units[unit].begin, values); });
  }
  MakeViews(weights_, root_, blocks_);
}

at::Tensor WholeParameters::UnitOf(at::Tensor& flat, size_t unit) const {
  return flat.narrow(0, table_.units[unit].begin, table_.units[unit].room);
}

void WholeParameters::MakeViews(at::Tensor& flat, RootTensors& root, std::vector<BlockTensors>& blocks) const {
  root = RootTensorsOf(config_, table_, UnitOf(flat, 0), UnitOf(flat, LastUnit()));
  for (size_t layer = 0; layer < table_.blocks.size(); ++layer) {
    blocks.push_back(BlockTensorsOf(config_, table_, layer, UnitOf(flat, layer + 1)));
  }
}

void WholeParameters::BeginStep() {
  if (gradients_.defined()) {
    gradients_.zero_();
    return;
  }
  gradients_ = at::zeros_like(weights_);
  MakeViews(gradients_, root_gradients_, block_gradients_);
}

Status WholeParameters::SumUnit(size_t unit) {
  if (ranks() == 1) return OkStatus();
  const model::ParameterUnit& place = table_.units[unit];
  const parallel::Buffer all = BufferOf(UnitOf(gradients_, unit));
  SRLM_ASSIGN_OR_RETURN(const int64_t number,
                        collectives_.ReduceScatterSum(all, all.Part(PieceBegin(place) - place.begin, PieceSize(place)),
                                                      fmt::format("gradients of {}", NameOfUnit(unit))));
  sums_.emplace_back(unit, number);
  // At a fixed distance, so that every rank begins its collectives in one order, and few take memory at a time.
  return sums_.size() > kSumsUnderWay ? EndOldestSum() : OkStatus();
}

Status WholeParameters::EndOldestSum() {
  const auto [unit, number] = sums_.front();
  sums_.pop_front();
  SRLM_RETURN_IF_ERROR(collectives_.WaitFor(number));
  return update_all_ ? GatherUnit(gradients_, unit, "gradients") : OkStatus();
}

Status WholeParameters::GatherUnit(at::Tensor& flat, size_t unit, const char* what) {
  const model::ParameterUnit& place = table_.units[unit];
  const parallel::Buffer all = BufferOf(UnitOf(flat, unit));
  return collectives_
      .AllGather(all.Part(PieceBegin(place) - place.begin, PieceSize(place)), all,
                 fmt::format("{} of {}", what, NameOfUnit(unit)))
      .status();
}

Status WholeParameters::RootGradientsDone(bool last) {
  if (!last) return OkStatus();
  SRLM_RETURN_IF_ERROR(SumUnit(0));
  return SumUnit(LastUnit());
}

Status WholeParameters::BlockGradientsDone(int64_t layer, bool last) {
  return last ? SumUnit(static_cast<size_t>(layer) + 1) : OkStatus();
}

Status WholeParameters::FinishGradients() {
  while (!sums_.empty()) SRLM_RETURN_IF_ERROR(EndOldestSum());
  return collectives_.WaitForAll();
}

OwnedStretch WholeParameters::StretchAt(int64_t begin, int64_t count) {
  OwnedStretch stretch = {begin, weights_.narrow(0, begin, count), {}};
  if (gradients_.defined()) stretch.gradients = gradients_.narrow(0, begin, count);
  return stretch;
}

std::vector<OwnedStretch> WholeParameters::Owned() {
  if (!update_all_) return Pieces();
  return {StretchAt(0, table_.total_elements)};
}

std::vector<OwnedStretch> WholeParameters::Pieces() {
  std::vector<OwnedStretch> pieces;
  for (const model::ParameterUnit& unit : table_.units) pieces.push_back(StretchAt(PieceBegin(unit), PieceSize(unit)));
  return pieces;
}

Status WholeParameters::PublishWeights() {
  if (update_all_ || ranks() == 1) return OkStatus();
  for (size_t unit = 0; unit < table_.units.size(); ++unit) {
    SRLM_RETURN_IF_ERROR(GatherUnit(weights_, unit, "weights"));
  }
  return collectives_.WaitForAll();
}

Result<at::Tensor> WholeParameters::WholeUnitAtPlace(size_t unit) { return UnitOf(weights_, unit); }

}  // namespace srlm::trainer
