#include "trainer/parameters/parameters.h"

#include <fmt/format.h>

#include <cmath>

#include "trainer/optimizer/adamw.h"
#include "trainer/parameters/parted_parameters.h"
#include "trainer/parameters/whole_parameters.h"

namespace srlm::trainer {
Result<std::unique_ptr<Parameters>> Parameters::Load(const std::string& folder, config::Sharding sharding,
                                                     parallel::Communicator& communicator, Trace* trace,
                                                     const Place& place) {
  std::unique_ptr<Parameters> parameters;
  if (sharding == config::Sharding::kFull && communicator.size() > 1) {
    parameters = std::make_unique<PartedParameters>(communicator, trace, place);
  } else {
    parameters = std::make_unique<WholeParameters>(communicator, trace, place, sharding == config::Sharding::kNone);
  }
  SRLM_ASSIGN_OR_RETURN(parameters->config_, model::ReadModelConfig(folder));
  parameters->table_ = model::MakeParameterTable(parameters->config_, kPieceMultiple * communicator.size());
  SRLM_ASSIGN_OR_RETURN(const model::WeightFiles files, model::WeightFiles::Open(folder, parameters->table_));
  parameters->ReadWeights(files);
  return parameters;
}

std::string Parameters::NameOfUnit(size_t unit) const {
  if (unit == 0) return "the embedding";
  return unit == LastUnit() ? "the head" : fmt::format("block {}", unit - 1);
}

int64_t Parameters::StepBytes() {
  int64_t owned = 0;
  for (const OwnedStretch& stretch : Owned()) owned += stretch.count();
  return static_cast<int64_t>(sizeof(float)) * (GradientElements() + 2 * owned);
}

Result<at::Tensor> Parameters::WholeUnit(size_t unit) {
  SRLM_ASSIGN_OR_RETURN(const at::Tensor whole, WholeUnitAtPlace(unit));
  at::Tensor on_host = whole.cpu();
  SRLM_RETURN_IF_ERROR(communicator_.Check());
  return on_host;
}

/// Every rank adds up its pieces, and then all add up the ranks' sums in one order: the same bits for all.
Result<double> Parameters::GradientNorm() {
  std::vector<double> mine = {0}, all(static_cast<size_t>(ranks()));
  for (const OwnedStretch& piece : Pieces()) mine[0] += SumOfSquares(piece.gradients);
  SRLM_RETURN_IF_ERROR(communicator_.Check());  // what a device summed has been read now
  const Clock::time_point begin = Clock::now();
  SRLM_RETURN_IF_ERROR(communicator_.AllGather(parallel::BufferOf(std::span(mine)), parallel::BufferOf(std::span(all)),
                                               "gradient norm"));
  collectives_.Waited("gradient norm", begin);
  double sum = 0;
  for (const double of_rank : all) sum += of_rank;
  return std::sqrt(sum);
}

}  // namespace srlm::trainer
