// What a program computes on, as configuration and command lines say it.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/config/config.h"
#include "common/config/enums.h"

namespace srlm::config {

struct DeviceChoice {
  Device device = Device::kCpu;
  Dtype dtype = Dtype::kAuto;

  /// Whether matrices, keys and values are bfloat16.
  bool bfloat16() const { return dtype == Dtype::kBFloat16 || (dtype == Dtype::kAuto && device == Device::kCuda); }

  Status Check() const {
    if (device == Device::kCuda || !bfloat16()) return OkStatus();
    return InvalidArgument("bfloat16 is for cuda (--device cuda): on processors it is slower than float32");
  }
};
inline DeviceChoice DeviceOf(const RunConfig& config) { return {config.device, config.dtype}; }

/// The flags that tell a worker or trainer so; none for what it does untold.
inline std::vector<std::string> FlagsOf(const DeviceChoice& choice) {
  if (choice.device == Device::kCpu) return {};
  return {"--device", std::string(NameOf(choice.device)), "--dtype", std::string(NameOf(choice.dtype))};
}

}  // namespace srlm::config
