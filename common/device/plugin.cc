#include "common/device/plugin.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace srlm::device {
namespace {

constexpr char kPluginFile[] = "libsrlm_cuda.so";
constexpr char kUse[] = "device: cuda";

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

Result<int> ChooseDevice(int visible, const LocalRank& local, std::string& warning) {
  if (visible == 1) {
    if (local.ranks > 1) {
      warning = fmt::format(
          "this rank sees one device, with {} ranks of its job on this host: right where the launcher gives each rank "
          "its own; else they share it, and NCCL will refuse that",
          local.ranks);
    }
    return 0;
  }
  if (local.rank < visible) return local.rank;
  return FailedPrecondition(
      fmt::format("{}: this host shows {} devices (CUDA_VISIBLE_DEVICES), and {} ranks of one job run on it; start "
                  "fewer, or name more hosts",
                  kUse, visible, local.ranks));
}

Result<Device> TakeDevice(const LocalRank& local) {
  Device device;
  SRLM_ASSIGN_OR_RETURN(device.entry, LoadPlugin());
  int visible = 0;
  if (const int error = device.entry->count(&visible); error != kSuccess || visible == 0) {
    const std::string why = error != kSuccess ? device.entry->device_error(error) : "none is visible";
    return FailedPrecondition(
        fmt::format("{}: {} finds no device on this machine: {}; run on one that has a GPU and its driver, look at "
                    "CUDA_VISIBLE_DEVICES, or say device: cpu",
                    kUse, device.entry->libraries, why));
  }
  SRLM_ASSIGN_OR_RETURN(device.number, ChooseDevice(visible, local, device.warning));
  if (const int error = device.entry->use(device.number); error != kSuccess) {
    return DeviceFailure(*device.entry, fmt::format("taking device {}", device.number), error);
  }
  if (const int error = device.entry->describe(device.number, &device.description); error != kSuccess) {
    return DeviceFailure(*device.entry, fmt::format("describing device {}", device.number), error);
  }
  return device;
}

Status DeviceFailure(const EntryPoints& entry, const std::string& call, int error) {
  return Unavailable(fmt::format("{}: {} ({})", call, entry.device_error(error), error));
}

}  // namespace srlm::device
