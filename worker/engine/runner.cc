#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

#include "common/model/shard.h"
#include "worker/engine/cpu_runner.h"
#include "worker/engine/device_runner.h"
#include "worker/engine/kv_cache.h"
#include "worker/engine/model_runner.h"

namespace srlm::worker {
namespace {

/// The library that runs models through ATen lies beside this program. It is opened for a device alone: loading ATen
/// takes most of a second, and the processor's kernels do without it.
Result<MakeDeviceRunnerFunction> LoadDeviceRunner() {
  std::error_code error;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  const std::string path = (folder / kDeviceRunnerLibrary).string();
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return FailedPrecondition(
        fmt::format("the library for devices does not load; build it with `make build`: {}", dlerror()));
  }
  const auto identity = reinterpret_cast<const char* const*>(dlsym(library, kDeviceRunnerIdentity));
  const auto function = reinterpret_cast<MakeDeviceRunnerFunction>(dlsym(library, kDeviceRunnerFunction));
  if (identity == nullptr || function == nullptr || std::string(*identity) != device::kIdentity) {
    return FailedPrecondition(fmt::format("{} is of another build than this program; build both again", path));
  }
  return function;
}

}  // namespace

Result<std::unique_ptr<ModelRunner>> MakeRunner(const std::string& folder, const model::ModelConfig& config,
                                                const RunnerOptions& options, const std::function<void()>& progress) {
  if (options.compute.device != nullptr) {
    SRLM_ASSIGN_OR_RETURN(const MakeDeviceRunnerFunction make, LoadDeviceRunner());
    Result<std::unique_ptr<ModelRunner>> made = InternalError("nothing was made");
    make(folder, config, options, progress, made);
    return made;
  }
  SRLM_ASSIGN_OR_RETURN(std::unique_ptr<CpuRunner> made, CpuRunner::Create(folder, config, options, progress));
  return std::unique_ptr<ModelRunner>(std::move(made));
}

int64_t PageBytes(const model::ModelConfig& local, int page_tokens, const ComputeOptions& compute) {
  if (compute.device == nullptr) return KvCache::PageBytes(local, page_tokens);
  const int64_t number = compute.numbers == NumberType::kBFloat16 ? 2 : 4;
  return local.layers * page_tokens * 2 * local.kv_size() * number;
}

}  // namespace srlm::worker
