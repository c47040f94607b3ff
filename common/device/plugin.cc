#include "common/device/plugin.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <set>

#include "common/device/cores.h"

namespace srlm::device {
namespace {

constexpr char kPluginFile[] = "libsrlm_cuda.so";
constexpr char kUse[] = "device: cuda";

/// Claims a device among the processes of this host, until this one ends: by a name that only one can have. False when
/// another one has it.
bool Claim(const Description& device) {
  static std::mutex mutex;
  static std::set<std::string> mine;
  const std::lock_guard lock(mutex);
  if (mine.contains(device.address)) return true;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;  // abstract: its first byte is 0, and the kernel forgets it with the process
  const int length = std::snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "srlm-device-%s", device.address);
  const int holder = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + static_cast<size_t>(length));
  if (holder < 0) return true;  // no way to ask: as if nobody else were there
  if (bind(holder, reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    const bool taken = errno == EADDRINUSE;
    close(holder);
    return !taken;
  }
  mine.insert(device.address);
  return true;
}

}  // namespace

std::string PluginPath() {
  if (const char* const named = std::getenv("SRLM_DEVICE_PLUGIN"); named != nullptr && *named != '\0') return named;
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return (program.parent_path() / kPluginFile).string();
}

Result<const EntryPoints*> LoadPlugin(const std::string& path) {
  if (access(path.c_str(), R_OK) != 0) {
    return NotFound(
        fmt::format("{}: there is no plug-in at {}; build it with `make cuda`, or say device: cpu", kUse, path));
  }
  // Global: it registers its device with the ATen that this program is linked to.
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) {
    return FailedPrecondition(fmt::format(
        "{}: the plug-in does not load: {}; `make cuda` installs what it needs and builds it again", kUse, dlerror()));
  }
  const auto function = reinterpret_cast<EntryPointsFunction>(dlsym(library, kEntryPointsFunction));
  if (function == nullptr) return FailedPrecondition(fmt::format("{}: {} is no plug-in of srlm", kUse, path));
  const EntryPoints* const entry = function();
  if (std::string(entry->identity) != kIdentity) {
    return FailedPrecondition(
        fmt::format("{}: the plug-in {} is of another build ({}) than this program ({}); build both again, with `make "
                    "build cuda`",
                    kUse, path, entry->identity, kIdentity));
  }
  return entry;
}

std::string Device::AtenName() const {
  const std::string kind = entry->aten_device;
  return kind == "cpu" ? kind : fmt::format("{}:{}", kind, number);
}

Result<std::vector<int>> DevicesFor(int visible, const LocalRank& local, std::string& warning) {
  if (visible == 1) {
    if (local.ranks > 1) {
      warning = fmt::format(
          "this rank sees one device, with {} ranks of its job on this host: right where the launcher gives each rank "
          "its own; else they share it, and NCCL will refuse that",
          local.ranks);
    }
    return std::vector<int>{0};
  }
  if (local.rank >= visible) {
    return FailedPrecondition(
        fmt::format("{}: this host shows {} devices (CUDA_VISIBLE_DEVICES), and {} ranks of one job run on it; start "
                    "fewer, or name more hosts",
                    kUse, visible, local.ranks));
  }
  std::vector<int> order;
  for (int i = 0; i < visible; ++i) order.push_back((local.rank + i) % visible);
  return order;
}

Result<std::vector<Device>> ListDevices() {
  SRLM_ASSIGN_OR_RETURN(const EntryPoints* const entry, LoadPlugin());
  int visible = 0;
  if (const int error = entry->count(&visible); error != kSuccess || visible == 0) {
    const std::string why = error != kSuccess ? entry->device_error(error) : "none is visible";
    return FailedPrecondition(
        fmt::format("{}: {} finds no device on this machine: {}; run on one that has a GPU and its driver, look at "
                    "CUDA_VISIBLE_DEVICES, or say device: cpu",
                    kUse, entry->libraries, why));
  }
  std::vector<Device> devices(static_cast<size_t>(visible));
  for (int number = 0; number < visible; ++number) {
    Device& device = devices[static_cast<size_t>(number)];
    device.entry = entry;
    device.number = number;
    if (const int error = entry->describe(number, &device.description); error != kSuccess) {
      return DeviceFailure(*entry, fmt::format("describing device {}", number), error);
    }
  }
  return devices;
}

Result<Device> TakeDevice(const LocalRank& local) {
  SRLM_ASSIGN_OR_RETURN(std::vector<Device> devices, ListDevices());
  std::string warning;
  SRLM_ASSIGN_OR_RETURN(const std::vector<int> order, DevicesFor(static_cast<int>(devices.size()), local, warning));
  auto free = order.begin();
  while (free != order.end() && !Claim(devices[static_cast<size_t>(*free)].description)) ++free;
  Device device = devices[static_cast<size_t>(free == order.end() ? order.front() : *free)];
  device.warning = warning;
  if (free == order.end()) {
    device.warning += fmt::format(
        "{}all {} devices that this rank sees are taken by other processes of srlm: it shares "
        "device {} with one",
        warning.empty() ? "" : "; ", devices.size(), device.number);
  }
  if (const int error = device.entry->use(device.number); error != kSuccess) {
    return DeviceFailure(*device.entry, fmt::format("taking device {}", device.number), error);
  }
  BindToNode(device.description.numa_node);
  return device;
}

Status DeviceFailure(const EntryPoints& entry, const std::string& call, int error) {
  return Unavailable(fmt::format("{}: {} ({})", call, entry.device_error(error), error));
}

}  // namespace srlm::device
