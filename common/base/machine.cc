#include "common/base/machine.h"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace srlm {
namespace {

/// A file that holds one number; none when it is missing or says "max".
std::optional<int64_t> ReadNumber(const std::string& path) {
  std::ifstream file(path);
  int64_t number = 0;
  if (!(file >> number)) return std::nullopt;
  return number;
}

/// The value in bytes of a line `key <number>` (kB where the file says so).
std::optional<int64_t> ReadKey(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string name, rest; file >> name; std::getline(file, rest)) {
    int64_t number = 0;
    if (name != key) continue;
    if (!(file >> number)) return std::nullopt;
    std::getline(file, rest);
    return rest.find("kB") == std::string::npos ? number : number * 1024;
  }
  return std::nullopt;
}

/// The folder of this process's control group, below `mount`: version 2's single one, or version 1's of memory.
std::string ControlGroup(const std::string& mount, bool version2) {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (version2 ? controllers.empty() : controllers.find("memory") != std::string::npos) {
      return mount + line.substr(second + 1);
    }
  }
  return mount;
}

/// Room below the limits of a control group and of all above it; file cache counts as room.
std::optional<int64_t> RoomInGroups(const std::string& mount, std::string group, const std::string& limit_file,
                                    const std::string& usage_file) {
  std::optional<int64_t> room;
  while (group.size() >= mount.size()) {
    const auto limit = ReadNumber(group + "/" + limit_file), usage = ReadNumber(group + "/" + usage_file);
    if (limit && usage) {
      const int64_t cache = ReadKey(group + "/memory.stat", "inactive_file").value_or(0);
      const int64_t left = std::max<int64_t>(1, *limit - *usage + cache);
      room = std::min(room.value_or(left), left);
    }
    if (group.size() == mount.size()) break;
    group.resize(std::max(group.rfind('/'), mount.size()));
  }
  return room;
}

}  // namespace

int AvailableCores() {
  // Machines with more cores than one cpu_set_t holds need a larger set.
  for (size_t count = CPU_SETSIZE; count <= CPU_SETSIZE * 64; count *= 2) {
    std::vector<cpu_set_t> cores(count / CPU_SETSIZE);
    const size_t bytes = cores.size() * sizeof(cpu_set_t);
    if (sched_getaffinity(0, bytes, cores.data()) == 0) return std::max(1, CPU_COUNT_S(bytes, cores.data()));
  }
  return 1;
}

int ThreadsPerRank(int ranks) { return std::max(1, AvailableCores() / std::max(1, ranks)); }

int64_t PeakRssBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{1024} * usage.ru_maxrss;
}

int64_t AvailableMemoryBytes() {
  const std::string v2 = "/sys/fs/cgroup", v1 = "/sys/fs/cgroup/memory";
  std::optional<int64_t> available = ReadKey("/proc/meminfo", "MemAvailable:");
  for (const auto& room :
       {RoomInGroups(v2, ControlGroup(v2, true), "memory.max", "memory.current"),
        RoomInGroups(v1, ControlGroup(v1, false), "memory.limit_in_bytes", "memory.usage_in_bytes")}) {
    if (room) available = std::min(available.value_or(*room), *room);
  }
  return available.value_or(0);
}

}  // namespace srlm
