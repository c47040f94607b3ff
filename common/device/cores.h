// The cores near a device.
#pragma once

#include <sched.h>

#include <optional>
#include <string>

namespace srlm::device {

/// Reads the kernel's lists of cores, such as `0-3,8,10-11`; none where it is no such list, or names no core.
std::optional<cpu_set_t> ParseCores(const std::string& text);

/// Binds the calling thread to the cores of a NUMA node (-1: not known, and nothing is done): to those of them that it
/// may run on, or where there is none, as a launcher bound it elsewhere, to all of the node. Says whether it is bound.
bool BindToNode(int node, const std::string& nodes = "/sys/devices/system/node");

}  // namespace srlm::device
