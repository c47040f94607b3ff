#include "worker/roles/replica.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <future>
#include <memory>
#include <set>
#include <thread>
#include <unordered_map>

#include "common/base/failpoint.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "worker/commands/file_session.h"
#include "worker/engine/engine.h"
#include "worker/roles/convert.h"
#include "worker/roles/coordinator_link.h"
#include "worker/roles/mailbox.h"
#include "worker/roles/model_check.h"

namespace srlm::worker {
namespace {

constexpr auto kIdle = std::chrono::milliseconds(100);
constexpr auto kWaitForRoom = std::chrono::milliseconds(500);
constexpr int kSequencesAnItem = 4;  // about: items are leased by number, slots are sequences
constexpr int kItemsAhead = 4;       // waiting items that keep the batch full between two leases

volatile std::sig_atomic_t notice = 0;  // the signal that came
void OnNotice(int signal) { notice = signal; }

uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

/// The engine's loop: takes assignments, runs steps, hands results to the mailbox.
class Replica {
 public:
  /// Steps take `slowdown` times as long as they need.
  Replica(Mailbox& mailbox, const EngineOptions& options, double slowdown)
      : mailbox_(mailbox), options_(options), slowdown_(slowdown) {}

  /// Until told to leave. Fails when a model cannot be loaded or the network side has given up.
  Status Work() {
    Report({});
    while (true) {
      for (Assignment& assignment : mailbox_.TakeAssignments()) later_.push_back(std::move(assignment));
      DropLost();
      SRLM_RETURN_IF_ERROR(mailbox_.failure());
      if (notice != 0 || (options_.group != nullptr && options_.group->AnotherWasNoticed())) {
        mailbox_.Close(notice == SIGINT ? "SIGINT" : "SIGTERM");
        return OkStatus();
      }
      SRLM_RETURN_IF_ERROR(Begin());
      if (engine_ && engine_->HasWork()) {
        SRLM_RETURN_IF_ERROR(Step());
        Report(Finished());
        continue;
      }
      const Orders orders = mailbox_.orders();
      if (orders.leave && later_.empty() && mailbox_.held_items() == 0) {
        mailbox_.Close("told to leave");
        return OkStatus();
      }
      if (orders.release_cores) Unload();
      Report({});
      mailbox_.WaitForWork(kIdle);
    }
  }

 private:
  Status Step() {
    const int64_t before = engine_->stats().steps;
    const auto begin = Clock::now();
    SRLM_RETURN_IF_ERROR(engine_->Step());
    if (engine_->stats().steps == before) return OkStatus();  // nothing was computed: no progress
    if (slowdown_ > 1) std::this_thread::sleep_for((Clock::now() - begin) * (slowdown_ - 1));
    ++steps_;
    mailbox_.Advance();
    return OkStatus();
  }

  /// Items of lost leases that have not begun are somebody else's now; items that somebody else has finished are not
  /// computed to their end.
  void DropLost() {
    const std::vector<std::string> leases = mailbox_.TakeLostLeases(), items = mailbox_.TakeLostItems();
    if (leases.empty() && items.empty()) return;
    const auto has = [](const std::vector<std::string>& ids, const std::string& id) {
      return std::ranges::find(ids, id) != ids.end();
    };
    mailbox_.Forget(std::erase_if(later_, [&](const Assignment& assignment) {
      return has(leases, assignment.lease_id) || has(items, assignment.item.item_id());
    }));
    mailbox_.Forget(std::erase_if(started_, [&](const auto& entry) {
      const auto& [id, assignment] = std::pair(entry.first, entry.second.first);
      return has(items, assignment.item.item_id()) && engine_->Cancel(id);
    }));
  }

  /// Gives the engine the items of its model; changes the model when it has none left.
  Status Begin() {
    if (later_.empty()) return OkStatus();
    const bool idle = !engine_ || !engine_->HasWork();
    if (idle && (!engine_ || later_.front().item.model_id() != model_id_)) {
      SRLM_RETURN_IF_ERROR(Load(later_.front().model));
    }
    std::deque<Assignment> others;
    std::vector<v1::ItemResult> impossible;
    for (Assignment& assignment : later_) {
      if (assignment.item.model_id() != model_id_) {
        others.push_back(std::move(assignment));
        continue;
      }
      auto request = ToRequest(assignment.item, next_id_);
      if (!request.ok()) {
        Response response;
        response.status = request.status();
        impossible.push_back(ToResult(assignment.item, assignment.lease_id, response));
        continue;
      }
      Failpoint("worker.begin_item", assignment.item.item_id());
      engine_->Submit(std::move(request).value());
      started_.emplace(next_id_++, std::pair(std::move(assignment), Clock::now()));
    }
    later_ = std::move(others);
    Report(std::move(impossible));
    return OkStatus();
  }

  Status Load(const v1::ModelRef& model) {
    if (model.folder().empty()) {
      return FailedPrecondition(fmt::format("the coordinator leased an item of model '{}' without saying where that is",
                                            later_.front().item.model_id()));
    }
    const auto begin = Clock::now();
    Unload();  // one model at a time in memory
    const auto progress = [this] { mailbox_.Advance(); };
    // The files are hashed while they are loaded, the first time that this process sees the model.
    std::future<Status> check;
    if (!checked_.contains(model.model_id())) {
      check = std::async([&] { return CheckModel(model.folder(), model.model_id(), progress); });
    }
    options_.model_id = model.model_id();
    auto engine = Engine::Create(model.folder(), options_, progress);
    if (check.valid()) {
      SRLM_RETURN_IF_ERROR(check.get());  // says more than an error of loading the wrong files
      checked_.insert(model.model_id());
    }
    if (!engine.ok()) return engine.status();
    engine_ = std::move(engine).value();
    model_id_ = model.model_id();
    Failpoint("worker.model_loaded");
    LogInfo("model_loaded", {{"model", model_id_}, {"folder", model.folder()}, {"seconds", SecondsSince(begin)}});
    return OkStatus();
  }

  std::vector<v1::ItemResult> Finished() {
    std::vector<v1::ItemResult> results;
    for (const Response& response : engine_->TakeFinished()) {
      const auto found = started_.find(response.id);
      const auto& [assignment, begin] = found->second;
      Failpoint("worker.end_item", assignment.item.item_id());
      results.push_back(ToResult(assignment.item, assignment.lease_id, response));
      results.back().set_seconds(SecondsSince(begin));
      started_.erase(found);
    }
    return results;
  }

  /// Drops the model and keeps the engine's counts.
  void Unload() {
    if (!engine_) return;
    generated_before_ += static_cast<uint64_t>(engine_->stats().generated_tokens);
    prefilled_before_ += static_cast<uint64_t>(engine_->stats().prefilled_tokens);
    engine_.reset();
  }

  int RoomItems() const {
    if (!later_.empty()) return 0;
    if (!engine_) return std::max(1, options_.max_batch / kSequencesAnItem);
    const int free = engine_->FreeSequences();
    if (free > 0) return (free + kSequencesAnItem - 1) / kSequencesAnItem;
    return std::max(0, kItemsAhead - engine_->WaitingRequests());
  }

  void Report(std::vector<v1::ItemResult> results) {
    EngineReport report;
    report.room_items = RoomItems();
    report.model_id = engine_ ? model_id_ : "";
    const EngineStats stats = engine_ ? engine_->stats() : EngineStats{};
    report.stats.set_generated_tokens(generated_before_ + static_cast<uint64_t>(stats.generated_tokens));
    report.stats.set_prefilled_tokens(prefilled_before_ + static_cast<uint64_t>(stats.prefilled_tokens));
    report.stats.set_steps(steps_);
    report.stats.set_active_sequences(engine_ ? static_cast<uint32_t>(engine_->ActiveSequences()) : 0);
    report.stats.set_waiting_items(engine_ ? static_cast<uint32_t>(engine_->WaitingRequests()) : 0);
    if (Clock::now() >= measure_at_) {
      resident_bytes_ = ResidentBytes();
      measure_at_ = Clock::now() + kIdle;
    }
    report.stats.set_resident_bytes(resident_bytes_);
    mailbox_.Report(report, std::move(results));
  }

  Mailbox& mailbox_;
  EngineOptions options_;
  const double slowdown_;
  std::unique_ptr<Engine> engine_;
  std::string model_id_;
  std::set<std::string> checked_;  // models whose files were hashed here
  std::deque<Assignment> later_;   // taken, not yet given to the engine
  std::unordered_map<uint64_t, std::pair<Assignment, Clock::time_point>> started_;
  uint64_t next_id_ = 0;
  uint64_t steps_ = 0;
  uint64_t generated_before_ = 0;
  uint64_t prefilled_before_ = 0;
  uint64_t resident_bytes_ = 0;
  Clock::time_point measure_at_{};
};

EngineOptions ToEngineOptions(const v1::EngineOptions& from, const ComputeOptions& compute) {
  EngineOptions options;
  options.compute = compute;
  if (compute.threads == 0) {
    options.compute.threads = from.threads() > 0 ? static_cast<int>(from.threads()) : DefaultThreads();
  }
  if (from.max_batch() > 0) options.max_batch = static_cast<int>(from.max_batch());
  options.kv_cache_bytes = int64_t{from.kv_cache_mib()} << 20;
  if (from.prefill_chunk_tokens() > 0) options.prefill_chunk_tokens = static_cast<int>(from.prefill_chunk_tokens());
  if (from.page_tokens() > 0) options.page_tokens = static_cast<int>(from.page_tokens());
  return options;
}

/// SRLM_SLOWDOWN, for tests: makes each step take that many times as long. 1 when it is not set.
Result<double> Slowdown() {
  const char* text = std::getenv("SRLM_SLOWDOWN");
  if (text == nullptr) return 1.0;
  char* end = nullptr;
  const double factor = std::strtod(text, &end);
  if (end == text || *end != 0 || !(factor >= 1 && factor <= 1e9)) {
    return InvalidArgument(fmt::format("SRLM_SLOWDOWN is '{}'; a number from 1 to 1e9 is wanted", text));
  }
  return factor;
}

Status StartLog(const ReplicaOptions& options, int rank) {
  const std::string launch = options.launch_id.empty() ? fmt::format("hand-{}", getpid()) : options.launch_id;
  const std::string folder = options.run_dir + "/logs/srlm-worker/" + launch;
  SRLM_RETURN_IF_ERROR(MakeFolders(folder));
  StartLogging("srlm-worker", fmt::format("{}/{}.log", folder, rank), {{"launch", launch}, {"rank", rank}});
  return OkStatus();
}

}  // namespace

Status RunReplica(const ReplicaOptions& options, const ComputeOptions& compute, GroupLeader* group,
                  const std::string& arithmetic_id) {
  // 1. Who am I?
  SRLM_ASSIGN_OR_RETURN(const double slowdown, Slowdown());
  SRLM_RETURN_IF_ERROR(rpc::ReadRunAddress(options.run_dir).status());
  SRLM_RETURN_IF_ERROR(StartLog(options, 0));
  std::signal(SIGTERM, OnNotice);
  std::signal(SIGINT, OnNotice);
  // 2. Join the run, and work.
  Mailbox mailbox;
  const ReplicaIdentity identity{group == nullptr ? 1 : group->ranks(), arithmetic_id};
  auto connected = CoordinatorLink::Connect(options, identity, mailbox);
  while (connected.status().code() == Code::kResourceExhausted && notice == 0) {  // it waits for room on its disk
    mailbox.WaitForNews(kWaitForRoom);
    connected = CoordinatorLink::Connect(options, identity, mailbox);
  }
  SRLM_ASSIGN_OR_RETURN(const auto link, std::move(connected));
  EngineOptions engine = ToEngineOptions(link->engine_options(), compute);
  engine.group = group;
  Replica replica(mailbox, engine, slowdown);
  link->Start();
  const Status status = replica.Work();
  if (!status.ok()) {
    LogError("replica_failed", {{"reason", status.message()}});
    mailbox.Close(status.message());
  }
  const Status parting = link->Finish();
  return status.ok() ? parting : status;
}

Status FollowReplica(const ReplicaOptions& options, const ComputeOptions& compute, parallel::Communicator& group) {
  SRLM_RETURN_IF_ERROR(StartLog(options, group.rank()));
  std::signal(SIGTERM, OnNotice);
  std::signal(SIGINT, OnNotice);
  group.TellNotice([] { return notice != 0; });
  std::set<std::string> checked;
  const auto check = [&checked](const std::string& folder, const std::string& model_id) -> Status {
    if (checked.contains(model_id)) return OkStatus();
    SRLM_RETURN_IF_ERROR(CheckModel(folder, model_id, [] {}));
    checked.insert(model_id);
    return OkStatus();
  };
  const Status status = FollowLeader(group, compute, check);
  if (!status.ok()) LogError("rank_failed", {{"reason", status.message()}});
  return status;
}

}  // namespace srlm::worker
