#include "worker/engine/engine.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "common/model/model_config.h"
#include "common/model/shard.h"
#include "worker/engine/group.h"
#include "worker/engine/kernels/kernels.h"
#include "worker/engine/scheduler.h"

namespace srlm::worker {
namespace {

constexpr int64_t kDefaultTokensPerSequence = 512;  // of KV cache, where the caller names no size

int64_t MemoryBytes() { return static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE); }

/// Pages of a rank's cache: as asked, or enough for a full batch; at least one sequence of the whole context (or 8,192
/// tokens of it).
int CountPages(const model::ModelConfig& config, const EngineOptions& options) {
  const int64_t page_bytes = PageBytes(config, options.page_tokens, options.compute);
  const int64_t whole =
      (std::min<int64_t>(config.context_tokens, 8192) + options.page_tokens - 1) / options.page_tokens;
  int64_t bytes = options.kv_cache_bytes;
  if (bytes == 0) {
    const int64_t batch = options.max_batch * kDefaultTokensPerSequence / options.page_tokens;
    bytes = std::min(std::max(batch, whole) * page_bytes, MemoryBytes() / 4);
  }
  return static_cast<int>(std::clamp<int64_t>(bytes / page_bytes, 1, int64_t{1} << 24));
}

Status CheckOptions(const EngineOptions& options) {
  if (options.compute.threads < 1) {
    return InvalidArgument(fmt::format("threads is {}; at least 1 is wanted", options.compute.threads));
  }
  if (options.max_batch < 1)
    return InvalidArgument(fmt::format("max_batch is {}; at least 1 is wanted", options.max_batch));
  if (options.prefill_chunk_tokens < 1) return InvalidArgument("prefill_chunk_tokens must be at least 1");
  if (options.page_tokens < kStripTokens || options.page_tokens % kStripTokens != 0) {
    return InvalidArgument(
        fmt::format("page_tokens is {}; a multiple of {} is wanted", options.page_tokens, kStripTokens));
  }
  return OkStatus();
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Create(const std::string& model_folder, const EngineOptions& options,
                                               const std::function<void()>& progress) {
  SRLM_RETURN_IF_ERROR(CheckOptions(options));
  SRLM_ASSIGN_OR_RETURN(const model::ModelConfig config, model::ReadModelConfig(model_folder));
  const int ranks = options.group == nullptr ? 1 : options.group->ranks();
  SRLM_ASSIGN_OR_RETURN(const model::Shard shard, model::MakeShard(config, 0, ranks));
  RunnerOptions runner_options;
  runner_options.compute = options.compute;
  runner_options.page_tokens = options.page_tokens;
  runner_options.pages = CountPages(shard.local, options);
  std::unique_ptr<ModelRunner> runner;
  if (options.group == nullptr) {
    SRLM_ASSIGN_OR_RETURN(runner, MakeRunner(model_folder, config, runner_options, progress));
  } else {
    const LoadOrder order{model_folder, options.model_id, runner_options.pages, runner_options.page_tokens};
    SRLM_ASSIGN_OR_RETURN(runner, options.group->Load(order, runner_options, progress));
  }
  return std::unique_ptr<Engine>(new Engine(std::make_unique<Scheduler>(std::move(runner), options)));
}

Engine::Engine(std::unique_ptr<Scheduler> scheduler) : scheduler_(std::move(scheduler)) {}
Engine::~Engine() = default;
void Engine::Submit(Request request) { scheduler_->Submit(std::move(request)); }
bool Engine::Cancel(uint64_t id) { return scheduler_->Cancel(id); }
Status Engine::Step() { return scheduler_->Step(); }
std::vector<Response> Engine::TakeFinished() { return scheduler_->TakeFinished(); }
bool Engine::HasWork() const { return scheduler_->HasWork(); }
int Engine::FreeSequences() const { return scheduler_->FreeSequences(); }
int Engine::WaitingRequests() const { return scheduler_->WaitingRequests(); }
int Engine::ActiveSequences() const { return scheduler_->ActiveSequences(); }
const EngineStats& Engine::stats() const { return scheduler_->stats(); }
int Engine::vocabulary_size() const { return scheduler_->runner().vocabulary_size(); }
int Engine::context_tokens() const { return scheduler_->runner().context_tokens(); }

}  // namespace srlm::worker
