#include "trainer/network/network.h"

#include "trainer/network/aten_network.h"
#include "trainer/network/cpu_network.h"

namespace srlm::trainer {

std::unique_ptr<Network> MakeNetwork(std::unique_ptr<Parameters> parameters, int64_t max_positions) {
  if (parameters->place().memory == parallel::Memory::kDevice) {
    return std::make_unique<AtenNetwork>(std::move(parameters), max_positions);
  }
  return std::make_unique<CpuNetwork>(std::move(parameters), max_positions);
}

}  // namespace srlm::trainer
