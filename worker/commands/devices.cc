#include <cstdio>
#include <nlohmann/json.hpp>

#include "common/device/plugin.h"
#include "worker/commands/commands.h"

namespace srlm::worker {

Status ShowDevices() {
  SRLM_ASSIGN_OR_RETURN(const auto devices, device::ListDevices());
  for (const device::Device& each : devices) {
    const device::Description& of = each.description;
    const nlohmann::ordered_json row = {{"device", each.number},
                                        {"name", of.name},
                                        {"address", of.address},
                                        {"memory_bytes", of.memory_bytes},
                                        {"free_bytes", of.free_bytes},
                                        {"capability", of.capability},
                                        {"numa_node", of.numa_node},
                                        {"bandwidth_gb_s", of.bandwidth_gb_s},
                                        {"multiprocessors", of.multiprocessors},
                                        {"libraries", each.entry->libraries}};
    std::printf("%s\n", row.dump().c_str());
  }
  return OkStatus();
}

}  // namespace srlm::worker
