#include "common/device/cores.h"

#include <charconv>
#include <fstream>

namespace srlm::device {

std::optional<cpu_set_t> ParseCores(const std::string& text) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  const char* at = text.data();
  const char* end = at + text.size();
  while (end > at && (end[-1] == '\n' || end[-1] == ' ')) --end;
  while (at < end) {
    int first = 0, last = 0;
    auto read = std::from_chars(at, end, first);
    if (read.ec != std::errc()) return std::nullopt;
    last = first;
    if (read.ptr < end && *read.ptr == '-') read = std::from_chars(read.ptr + 1, end, last);
    if (read.ec != std::errc() || first < 0 || last < first || last >= CPU_SETSIZE) return std::nullopt;
    for (int core = first; core <= last; ++core) CPU_SET(static_cast<size_t>(core), &cores);
    if (read.ptr < end && *read.ptr != ',') return std::nullopt;
    at = read.ptr + 1;
  }
  if (CPU_COUNT(&cores) == 0) return std::nullopt;
  return cores;
}

bool BindToNode(int node, const std::string& nodes) {
  if (node < 0) return false;
  std::ifstream file(nodes + "/node" + std::to_string(node) + "/cpulist");
  std::string text;
  std::getline(file, text);
  const std::optional<cpu_set_t> near = ParseCores(text);
  cpu_set_t now, both;
  if (!near || sched_getaffinity(0, sizeof now, &now) != 0) return false;
  CPU_AND(&both, &now, &*near);
  const cpu_set_t& wanted = CPU_COUNT(&both) > 0 ? both : *near;
  return sched_setaffinity(0, sizeof wanted, &wanted) == 0;
}

}  // namespace srlm::device
