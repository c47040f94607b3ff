// The plug-in that brings a device into a process, and which of its devices a rank takes.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/device/entry_points.h"

namespace srlm::device {

/// Where the CUDA plug-in lies: SRLM_DEVICE_PLUGIN, or libsrlm_cuda.so beside this program.
std::string PluginPath();

/// Opens a plug-in, for as long as the process lives. Another build's is refused before anything of it is called:
/// NotFound where there is none, FailedPrecondition with the reason where it cannot be used.
Result<const EntryPoints*> LoadPlugin(const std::string& path = PluginPath());

/// This rank's place among the ranks of its job on this host.
struct LocalRank {
  int rank = 0;
  int ranks = 1;
};

/// A device that a process computes on from now on.
struct Device {
  const EntryPoints* entry = nullptr;
  int number = 0;  // among those that the process sees
  Description description{};
  std::string warning;  // empty: as it should be

  /// What ATen calls it: "cuda:1".
  std::string AtenName() const;
};

/// Loads the plug-in and takes a device for as long as this process lives: that of its local rank, or the next one that
/// no other process of srlm on this host has (several replicas share hosts). A process that sees one device takes it,
/// whatever its rank: a launcher that gives each rank its own shows it nothing else; with several ranks on the host
/// that is said in `warning`, and so is a device that others have too. Binds the calling thread to the cores near the
/// device, and so all threads that it starts. FailedPrecondition says why there is none, or fewer than ranks.
Result<Device> TakeDevice(const LocalRank& local);

/// All devices that a process here sees, none of them taken. Fails as TakeDevice.
Result<std::vector<Device>> ListDevices();

/// The numbers of the devices that a rank that sees `visible` of them tries to take, in this order; `warning` is set as
/// TakeDevice says.
Result<std::vector<int>> DevicesFor(int visible, const LocalRank& local, std::string& warning);

/// Failure of the runtime's `call`.
Status DeviceFailure(const EntryPoints& entry, const std::string& call, int error);

}  // namespace srlm::device
