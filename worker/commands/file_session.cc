#include "worker/commands/file_session.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/machine.h"
#include "common/data/jsonl.h"
#include "common/model/model_config.h"
#include "common/model/parameters.h"

namespace srlm::worker {
namespace {

EngineOptions ToEngineOptions(const FileOptions& options, const ComputeOptions& compute, GroupLeader* group) {
  EngineOptions engine;
  engine.compute = compute;
  engine.max_batch = options.max_batch;
  engine.kv_cache_bytes = int64_t{options.kv_cache_mib} << 20;
  engine.prefill_chunk_tokens = options.prefill_chunk_tokens;
  engine.group = group;
  return engine;
}

/// Lets this process end when `other` ends. Where that one started it the kernel kills it, and the signal follows the
/// thread that did; under mpirun, which stands between, a thread watches, and mpirun ends the other ranks.
Status EndWith(pid_t other) {
  if (other == 0) return OkStatus();
  if (std::getenv("OMPI_COMM_WORLD_RANK") == nullptr) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == other) return OkStatus();
    return Aborted(fmt::format("--ends-with {}: that process did not start this one, or has ended", other));
  }
  const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, other, 0));
  if (descriptor < 0 && errno == ESRCH) return Aborted(fmt::format("--ends-with {}: that process has ended", other));
  if (descriptor < 0) {
    return FailedPrecondition(fmt::format("--ends-with {}: this system cannot watch a process ({}); use one rank",
                                          other, std::strerror(errno)));
  }
  std::thread([descriptor] {
    pollfd event{descriptor, POLLIN, 0};
    while (poll(&event, 1, -1) < 0 && errno == EINTR) {
    }
    _exit(1);
  }).detach();
  return OkStatus();
}

}  // namespace

int DefaultThreads() {
  // Ranks that mpirun bound have cores of their own; others share the host's.
  const char* const ranks = std::getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
  const bool bound = std::getenv("OMPI_MCA_orte_bound_at_launch") != nullptr;
  return ThreadsPerRank(ranks != nullptr && !bound ? std::atoi(ranks) : 1);
}

Result<std::unique_ptr<FileSession>> FileSession::Open(const FileOptions& options, const ComputeOptions& compute,
                                                       GroupLeader* group) {
  SRLM_RETURN_IF_ERROR(EndWith(options.ends_with));
  SRLM_RETURN_IF_ERROR(CheckWritable(options.out));
  if (!options.summary.empty()) SRLM_RETURN_IF_ERROR(CheckWritable(options.summary));
  if (options.summary == options.out) {
    return InvalidArgument(
        fmt::format("--out and --summary are both {}; the second would replace the first", options.out));
  }
  SRLM_ASSIGN_OR_RETURN(const model::ModelConfig config, model::ReadModelConfig(options.model));
  SRLM_RETURN_IF_ERROR(model::WeightFiles::Open(options.model, model::MakeParameterTable(config)).status());
  std::unique_ptr<FileSession> session(new FileSession(options, compute, group));
  const auto special =
      options.parse_special_tokens ? text::SpecialTokensInText::kParse : text::SpecialTokensInText::kText;
  SRLM_ASSIGN_OR_RETURN(session->chat_, text::Chat::Load(options.model, options.chat_template, special));
  return session;
}

Result<std::vector<int>> FileSession::PromptTokens(const data::PromptInput& input) const {
  return input.raw ? chat_->RawTokens(input.raw_text) : chat_->PromptTokens(input.messages);
}

Result<std::vector<Response>> FileSession::Run(std::vector<Request> requests) {
  const auto begin = Clock::now();
  SRLM_ASSIGN_OR_RETURN(const std::unique_ptr<Engine> engine,
                        Engine::Create(options_.model, ToEngineOptions(options_, compute_, group_)));
  load_seconds_ = SecondsSince(begin);

  const auto loaded = Clock::now();
  std::vector<Response> responses(requests.size());
  for (Request& request : requests) engine->Submit(std::move(request));
  while (engine->HasWork()) {
    SRLM_RETURN_IF_ERROR(engine->Step());
    for (Response& response : engine->TakeFinished()) {
      if (!response.status.ok()) {
        ++failed_;
        LogWarning("row_failed",
                   {{"row", static_cast<long long>(response.id + 1)}, {"reason", response.status.message()}});
      }
      responses[response.id] = std::move(response);
    }
  }
  seconds_ = SecondsSince(loaded);
  stats_ = engine->stats();
  return responses;
}

Status FileSession::Finish(const std::vector<nlohmann::ordered_json>& rows, const nlohmann::ordered_json& more) const {
  SRLM_ASSIGN_OR_RETURN(data::JsonlWriter writer, data::JsonlWriter::Create(options_.out));
  for (const auto& row : rows) SRLM_RETURN_IF_ERROR(writer.Write(row));
  SRLM_RETURN_IF_ERROR(writer.Close());
  if (options_.summary.empty()) return OkStatus();
  return WriteFileAtomic(options_.summary, Summary(more).dump(1) + "\n");
}

nlohmann::ordered_json FileSession::Summary(const nlohmann::ordered_json& more) const {
  nlohmann::ordered_json summary;
  summary["generated_tokens"] = stats_.generated_tokens;
  summary["prompt_tokens"] = stats_.prompt_tokens;
  summary["prefilled_tokens"] = stats_.prefilled_tokens;
  summary["load_seconds"] = load_seconds_;
  summary["seconds"] = seconds_;
  summary["prefill_seconds"] = stats_.prefill_seconds;
  summary["decode_seconds"] = stats_.decode_seconds;
  summary["tokens_per_second"] = seconds_ > 0 ? static_cast<double>(stats_.generated_tokens) / seconds_ : 0.0;
  summary["peak_rss_bytes"] = PeakRssBytes();
  summary["steps"] = stats_.steps;
  summary["failed_rows"] = failed_;
  for (const auto& [key, value] : more.items()) summary[key] = value;
  return summary;
}

}  // namespace srlm::worker
