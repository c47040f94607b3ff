// What the engine finds in this library (worker/engine/device_runner.h).
#include <memory>

#include "worker/aten/aten_runner.h"
#include "worker/engine/device_runner.h"

namespace {

using namespace srlm;  // NOLINT(google-build-using-namespace)

void Make(const std::string& folder, const model::ModelConfig& config, const worker::RunnerOptions& options,
          const std::function<void()>& progress, Result<std::unique_ptr<worker::ModelRunner>>& made) {
  auto runner = worker::AtenRunner::Create(folder, config, options, progress);
  made = runner.ok() ? Result<std::unique_ptr<worker::ModelRunner>>(std::move(runner).value()) : runner.status();
}

}  // namespace

extern "C" {
const char* srlm_device_runner_identity = srlm::device::kIdentity;
void srlm_make_device_runner(const std::string& folder, const model::ModelConfig& config,
                             const worker::RunnerOptions& options, const std::function<void()>& progress,
                             Result<std::unique_ptr<worker::ModelRunner>>& made) {
  Make(folder, config, options, progress, made);
}
}
