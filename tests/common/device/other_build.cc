// A plug-in of another version: whoever opens it must not call anything of it.
#include <cstdlib>

#include "common/device/entry_points.h"

namespace {
srlm::device::EntryPoints table;
}

extern "C" const srlm::device::EntryPoints* srlm_device_entry_points() {
  table.identity = "srlm 0.0.9, device interface 000000000000";
  table.count = [](int*) -> int { std::abort(); };
  return &table;
}
