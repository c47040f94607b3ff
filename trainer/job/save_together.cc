#include "trainer/job/save_together.h"

#include <optional>
#include <span>
#include <vector>

namespace srlm::trainer {

Result<Manifest> SaveTogether(Parameters& parameters, parallel::Communicator& communicator, const ModelWriter& write) {
  const bool leads = communicator.rank() == 0;
  const model::ParameterTable& table = parameters.model_table();
  const std::vector<model::ParameterUnit>& units = table.units;
  size_t next = 0;  // unit
  at::Tensor whole;
  std::optional<parallel::AloneWork> alone;
  Status gathered;
  const auto gather = [&] {
    alone.reset();
    auto unit = parameters.WholeUnit(next++);
    gathered = unit.status();
    if (unit.ok()) whole = *unit;
    if (leads) alone.emplace(communicator, "saving the model");
    return gathered;
  };
  const model::ParameterValues values = [&](const model::Parameter& parameter) -> Result<std::span<const float>> {
    while (next == 0 || parameter.offset >= units[next - 1].begin + units[next - 1].room) {
      SRLM_RETURN_IF_ERROR(gather());
    }
    return std::span<const float>(
        SpanOf(whole.narrow(0, parameter.offset - units[next - 1].begin, parameter.elements)));
  };
  Result<Manifest> manifest = Manifest{};
  if (leads) manifest = write(table, values);
  while (next < units.size() && gathered.ok()) (void)gather();  // where rank 0 stopped early, the others do not know
  if (!gathered.ok()) return gathered;
  return manifest;
}

}  // namespace srlm::trainer
