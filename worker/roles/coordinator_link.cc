#include "worker/roles/coordinator_link.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>

#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/base/version.h"
#include "common/rpc/channel.h"
#include "worker/engine/kernels/kernels.h"
#include "worker/roles/saved_results.h"

namespace srlm::worker {
namespace {

constexpr double kCallSeconds = 10;
constexpr double kTryAddressSeconds = 1;  // until the address is read again
constexpr double kRoomSeconds = 60;       // for results to be saved on a disk without room
constexpr size_t kMostResults = 256;      // in one Submit
constexpr size_t kMostBytes = 16u << 20;  // likewise, about
constexpr auto kIdle = std::chrono::milliseconds(200);
constexpr auto kRetry = std::chrono::milliseconds(500);

std::string HostName() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

Result<std::unique_ptr<CoordinatorLink>> CoordinatorLink::Connect(const ReplicaOptions& options,
                                                                  const ReplicaIdentity& identity, Mailbox& mailbox) {
  std::unique_ptr<CoordinatorLink> link(new CoordinatorLink(options, identity, mailbox));
  const Deadline deadline = Deadline::AfterSeconds(options.start_timeout_s);
  while (true) {
    // At the address of the moment: a coordinator may die after it has started a worker, and have a successor at once.
    const double left_s = std::chrono::duration<double>(deadline.Left()).count();
    const Status status = link->Register(std::min(kTryAddressSeconds, left_s));
    if (status.ok()) return link;
    if (status.code() != Code::kUnavailable || deadline.Expired()) return status;
  }
}

CoordinatorLink::~CoordinatorLink() {
  if (thread_.joinable()) thread_.join();
}

Status CoordinatorLink::Finish() {
  if (thread_.joinable()) thread_.join();
  const Status failure = mailbox_.failure();
  if (!failure.ok()) SaveUnacknowledged();  // the engine has stopped: nothing more will be finished
  return failure;
}

Status CoordinatorLink::Register(double timeout_s) {
  SRLM_ASSIGN_OR_RETURN(address_, rpc::ReadRunAddress(options_.run_dir));
  SRLM_ASSIGN_OR_RETURN(channel_, rpc::MakeRunChannel(options_.run_dir, address_, rpc::Right::kWork));
  SRLM_RETURN_IF_ERROR(rpc::WaitConnected(*channel_, address_.address, Deadline::AfterSeconds(timeout_s)));
  stub_ = v1::WorkService::NewStub(channel_);
  v1::RegisterRequest request;
  request.set_run_id(address_.run_id);
  request.set_epoch(address_.epoch);
  request.set_host(HostName());
  request.set_pid(getpid());
  request.set_ranks(static_cast<uint32_t>(identity_.ranks));
  request.set_launch_id(options_.launch_id);
  request.set_device(std::string("cpu/") + SelectKernels().name);
  request.set_arithmetic(identity_.arithmetic_id);
  request.set_version(kVersion);
  SRLM_ASSIGN_OR_RETURN(registration_, rpc::Call(*stub_, &v1::WorkService::Stub::Register, request, kCallSeconds,
                                                 "Register at " + address_.address));
  failing_since_.reset();
  Failpoint("worker.registered");
  LogInfo("registered", {{"coordinator", address_.address},
                         {"epoch", static_cast<long long>(address_.epoch)},
                         {"worker", registration_.worker_id()}});
  return OkStatus();
}

void CoordinatorLink::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void CoordinatorLink::Loop() {
  while (true) {
    const Status status = Exchange();
    if (!status.ok()) {
      if (!Recover(status)) return;
      continue;
    }
    std::string reason;
    if (mailbox_.closed(&reason) && mailbox_.outbox_size() == 0) return SayGoodbye(reason);
    mailbox_.WaitForNews(kIdle);
  }
}

Status CoordinatorLink::Exchange() {
  SRLM_RETURN_IF_ERROR(SubmitSaved());
  SRLM_RETURN_IF_ERROR(SubmitResults());
  std::string reason;
  if (mailbox_.closed(&reason)) return OkStatus();
  const auto now = Clock::now();
  if (mailbox_.room_items() > 0 && now >= next_lease_ && !mailbox_.orders().leave) SRLM_RETURN_IF_ERROR(LeaseItems());
  // A heartbeat says that what is held advances; a hung engine, or a model that does not load, is not kept alive.
  const auto heartbeat = std::chrono::milliseconds(std::max(1u, registration_.heartbeat_ms()));
  const uint64_t progress = mailbox_.progress();
  if (now - renewed_ >= heartbeat && (mailbox_.held_items() == 0 || progress != renewed_progress_)) {
    SRLM_RETURN_IF_ERROR(RenewLeases());
    renewed_ = now;
    renewed_progress_ = progress;
  }
  return OkStatus();
}

Status CoordinatorLink::SubmitResults() {
  while (true) {
    const auto results = mailbox_.Outbox(kMostResults, kMostBytes);
    if (results.empty()) return OkStatus();
    Failpoint("worker.before_submit");
    SRLM_RETURN_IF_ERROR(SubmitBatch(results));
    Failpoint("worker.before_acknowledge");
    mailbox_.Acknowledge(results.size());
    Failpoint("worker.after_acknowledge");
    if (mailbox_.held_items() == 0) leases_.clear();
  }
}

Status CoordinatorLink::SubmitBatch(const std::vector<v1::ItemResult>& results) {
  v1::SubmitRequest request;
  request.set_epoch(address_.epoch);
  request.set_worker_id(registration_.worker_id());
  for (const v1::ItemResult& result : results) *request.add_results() = result;
  SRLM_ASSIGN_OR_RETURN(const v1::SubmitResponse response, rpc::Call(*stub_, &v1::WorkService::Stub::Submit, request,
                                                                     kCallSeconds, "Submit to " + address_.address));
  failing_since_.reset();
  // Which results the coordinator has vouched for, so that it can be seen whether it has them.
  std::string items;
  for (const v1::ItemResult& result : results) items += (items.empty() ? "" : " ") + result.item_id();
  LogInfo("acknowledged", {{"epoch", address_.epoch},
                           {"stored", response.stored()},
                           {"duplicates", response.duplicates()},
                           {"refused", response.refused()},
                           {"items", items}});
  return OkStatus();
}

Status CoordinatorLink::SubmitSaved() {
  if (saved_submitted_) return OkStatus();
  for (const SavedResults& saved : FindSavedResults(options_.run_dir, address_.run_id)) {
    // Two workers may hand in the same file: the coordinator drops what comes twice.
    for (size_t begin = 0; begin < saved.results.size(); begin += kMostResults) {
      const auto first = saved.results.begin() + static_cast<std::ptrdiff_t>(begin);
      const auto count = static_cast<std::ptrdiff_t>(std::min(kMostResults, saved.results.size() - begin));
      SRLM_RETURN_IF_ERROR(SubmitBatch({first, first + count}));
    }
    std::error_code gone;
    std::filesystem::remove(saved.path, gone);
    LogInfo("saved_results_submitted", {{"path", saved.path}, {"results", saved.results.size()}});
  }
  saved_submitted_ = true;
  return OkStatus();
}

Status CoordinatorLink::LeaseItems() {
  v1::LeaseRequest request;
  request.set_epoch(address_.epoch);
  request.set_worker_id(registration_.worker_id());
  request.set_max_items(static_cast<uint32_t>(mailbox_.room_items()));
  request.set_loaded_model_id(mailbox_.report().model_id);
  *request.mutable_stats() = Stats();
  SRLM_ASSIGN_OR_RETURN(v1::LeaseResponse response, rpc::Call(*stub_, &v1::WorkService::Stub::Lease, request,
                                                              kCallSeconds, "Lease from " + address_.address));
  failing_since_.reset();
  std::map<std::string, v1::ModelRef> models;
  for (const v1::ModelRef& model : response.models()) models[model.model_id()] = model;
  std::vector<Assignment> assignments;
  for (const v1::Item& item : response.items()) {
    assignments.push_back({response.lease_id(), item, models[item.model_id()]});
  }
  if (!assignments.empty()) {
    Failpoint("worker.leased");
    leases_.insert(response.lease_id());
  }
  // The engine takes what came at its next step; that, and nothing to lease, is a reason to wait before asking again.
  const auto pause = assignments.empty() ? std::max(50u, response.retry_after_ms()) : 20u;
  next_lease_ = Clock::now() + std::chrono::milliseconds(pause);
  if (!assignments.empty()) mailbox_.Deliver(std::move(assignments));
  Obey(response.directive(), response.release_cores());
  return OkStatus();
}

Status CoordinatorLink::RenewLeases() {
  v1::RenewRequest request;
  request.set_epoch(address_.epoch);
  request.set_worker_id(registration_.worker_id());
  for (const std::string& lease : leases_) request.add_lease_ids(lease);
  *request.mutable_stats() = Stats();
  SRLM_ASSIGN_OR_RETURN(const v1::RenewResponse response, rpc::Call(*stub_, &v1::WorkService::Stub::Renew, request,
                                                                    kCallSeconds, "Renew at " + address_.address));
  failing_since_.reset();
  const std::vector<std::string> lost(response.lost_lease_ids().begin(), response.lost_lease_ids().end());
  mailbox_.DropLost(lost, {response.lost_item_ids().begin(), response.lost_item_ids().end()});
  for (const std::string& lease : lost) leases_.erase(lease);
  if (response.directive() == v1::DIRECTIVE_LEAVE) Obey(response.directive(), false);
  return OkStatus();
}

void CoordinatorLink::Obey(v1::Directive directive, bool release_cores) {
  mailbox_.SetOrders({directive == v1::DIRECTIVE_LEAVE, directive == v1::DIRECTIVE_WAIT && release_cores});
}

void CoordinatorLink::SayGoodbye(const std::string& reason) {
  v1::LeaveRequest request;
  request.set_epoch(address_.epoch);
  request.set_worker_id(registration_.worker_id());
  request.set_reason(reason);
  Failpoint("worker.before_leave");
  const auto response = rpc::Call(*stub_, &v1::WorkService::Stub::Leave, request, kCallSeconds, "Leave");
  // Nothing is lost when it fails: what was submitted is acknowledged, leases run out.
  LogInfo("left", {{"reason", reason}, {"answered", response.ok()}});
}

double CoordinatorLink::OrphanTimeoutS() const {
  if (options_.orphan_timeout_s > 0) return options_.orphan_timeout_s;
  return std::max(1u, registration_.orphan_timeout_ms()) / 1000.0;
}

bool CoordinatorLink::Recover(const Status& status) {
  std::string reason;
  const bool closed = mailbox_.closed(&reason);
  if (status.code() == Code::kResourceExhausted && !closed) {
    failing_since_.reset();  // it is there, and takes nothing before its disk has room
    mailbox_.WaitForNews(kRetry);
    return true;
  }
  // Counted from the first failure, not from the last answer: a worker that was stopped for long, or had nothing to
  // say, has not looked for the coordinator in that time.
  if (!failing_since_) failing_since_ = Clock::now();
  const double lost_s = SecondsSince(*failing_since_);
  const double patience_s = closed ? std::min(kCallSeconds, OrphanTimeoutS()) : OrphanTimeoutS();
  LogWarning("coordinator_call_failed", {{"reason", status.message()}});
  // Another coordinator may have taken the run: its address and epoch are in the same place.
  const auto now_at = rpc::ReadRunAddress(options_.run_dir);
  const bool moved = now_at.ok() && (now_at->epoch != address_.epoch || now_at->address != address_.address);
  const bool unknown = status.code() == Code::kFailedPrecondition || status.code() == Code::kNotFound;
  if (moved || unknown || lost_s > patience_s) {
    const Status again = Register(1);  // over a new channel
    if (!again.ok()) {
      LogWarning("register_failed", {{"reason", again.message()}});
      if (lost_s > patience_s) {
        mailbox_.Fail(Unavailable(
            fmt::format("no coordinator for {:.0f} s ({}); start it again with `srlm run`", lost_s, status.message())));
        return false;
      }
    }
  }
  if (!rpc::AwaitConnection(*channel_, Deadline::After(kRetry))) mailbox_.WaitForNews(kRetry);
  return true;
}

void CoordinatorLink::SaveUnacknowledged() {
  const size_t all = std::numeric_limits<size_t>::max();
  const auto results = mailbox_.Outbox(all, all);
  if (results.empty()) return;
  const auto save = [&] { return SaveResults(options_.run_dir, address_.run_id, registration_.worker_id(), results); };
  auto path = save();
  const Deadline room_by = Deadline::AfterSeconds(std::min(kRoomSeconds, OrphanTimeoutS()));
  while (path.status().code() == Code::kResourceExhausted && !room_by.Expired()) {
    mailbox_.WaitForNews(kRetry);
    path = save();
  }
  if (path.ok()) {
    LogWarning("results_saved", {{"path", *path}, {"results", results.size()}});
  } else {
    LogError("results_lost", {{"results", results.size()}, {"reason", path.status().message()}});
  }
}

v1::WorkerStats CoordinatorLink::Stats() {
  v1::WorkerStats stats = mailbox_.report().stats;
  const auto now = Clock::now();
  generated_.emplace_back(now, stats.generated_tokens());
  while (generated_.size() > 2 && SecondsBetween(generated_.front().first, now) > 10) generated_.pop_front();
  const double seconds = SecondsBetween(generated_.front().first, now);
  if (seconds > 0.1) {
    stats.set_tokens_per_second(static_cast<double>(stats.generated_tokens() - generated_.front().second) / seconds);
  }
  return stats;
}

}  // namespace srlm::worker
