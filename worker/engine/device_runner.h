// How the engine reaches the library that runs a model on a device (worker/aten).
#pragma once

#include "worker/engine/model_runner.h"

namespace srlm::worker {

inline constexpr char kDeviceRunnerLibrary[] = "libsrlm_aten.so";
/// device::kIdentity of the library's build, a `const char*`.
inline constexpr char kDeviceRunnerIdentity[] = "srlm_device_runner_identity";
/// MakeRunner for options that name a device; the result is put into `made`.
inline constexpr char kDeviceRunnerFunction[] = "srlm_make_device_runner";
using MakeDeviceRunnerFunction = void (*)(const std::string& folder, const model::ModelConfig& config,
                                          const RunnerOptions& options, const std::function<void()>& progress,
                                          Result<std::unique_ptr<ModelRunner>>& made);

}  // namespace srlm::worker
