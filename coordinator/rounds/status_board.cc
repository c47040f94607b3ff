#include "coordinator/rounds/status_board.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/base/version.h"
#include "coordinator/ledger/listing.h"
#include "coordinator/ledger/round_health.h"
#include "coordinator/ledger/round_summary.h"

namespace srlm::rounds {
namespace {

constexpr std::chrono::milliseconds kPublishEvery(200);
constexpr std::chrono::milliseconds kCountEvery(1000);
constexpr int kCostShare = 20;  // counting takes at most one part in so many of the thread's time
constexpr int64_t kErrors = 5;

std::string Dump(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

StatusBoard::StatusBoard(const Context& context, const Machine& machine, const Desk& desk, Controls& controls)
    : context_(context), machine_(machine), desk_(desk), controls_(controls) {}

Result<v1::ControlResponse> StatusBoard::Steer(services::Control control, const v1::ControlRequest& request) {
  SRLM_RETURN_IF_ERROR(desk_.failure());
  if (machine_.dismissed() || machine_.ending())
    return FailedPrecondition(fmt::format("the run is ending (state: {}); `srlm status` tells how", state_));
  const Controls::Wish before = controls_.wish();
  SRLM_RETURN_IF_ERROR(controls_.Take(control, request, machine_.round()));
  if (waiting_.empty()) SRLM_RETURN_IF_ERROR(controls_.Record());
  if (controls_.wish() != before) {
    const char* const name = controls_.wish() == Controls::Wish::kGoOn    ? "running"
                             : controls_.wish() == Controls::Wish::kPause ? "pausing"
                                                                          : "cancelling";
    SetState(name, controls_.Words("asked"));
  }
  v1::ControlResponse response;
  const bool waits = !waiting_.empty() && controls_.wish() != Controls::Wish::kCancel;
  response.set_state(waits ? "paused" : state_);
  response.set_message(waits ? waiting_ : message_);
  return response;
}

void StatusBoard::SetState(std::string state, std::string message) {
  state_ = std::move(state);
  message_ = std::move(message);
  count_after_ = {};
}

void StatusBoard::ShowWaiting(const std::string& reason) {
  waiting_ = reason;
  const std::lock_guard lock(mutex_);
  snapshot_.set_state(reason.empty() ? state_ : "paused");
  snapshot_.set_message(reason.empty() ? message_ : reason);
}

Status StatusBoard::CountHealth() {
  const int round = machine_.round();
  if (round == 0) return OkStatus();
  SRLM_ASSIGN_OR_RETURN(const ledger::RoundCounts counts, context_.ledger.Counts(round));
  if (counts.votes.votes == 0) return OkStatus();
  auto& map = *counted_.mutable_health();
  SRLM_ASSIGN_OR_RETURN(const auto figures, ledger::RoundHealth(context_.ledger, round));
  map.insert(figures.begin(), figures.end());
  map["votes"] = static_cast<double>(counts.votes.votes);
  return OkStatus();
}

Status StatusBoard::Recount() {
  const Clock::time_point begin = Clock::now();
  if (begin < count_after_) return OkStatus();
  counted_.Clear();
  SRLM_ASSIGN_OR_RETURN(const auto rounds, ledger::SummariseRounds(context_.ledger));
  for (const v1::RoundSummary& round : rounds) *counted_.add_rounds() = round;
  SRLM_RETURN_IF_ERROR(CountHealth());
  SRLM_ASSIGN_OR_RETURN(const auto errors, context_.ledger.LastErrors(kErrors));
  for (const std::string& error : errors) counted_.add_last_errors(error);
  const Clock::time_point end = Clock::now();
  count_after_ = end + std::max<Clock::duration>(kCountEvery, (end - begin) * kCostShare);
  return OkStatus();
}

Result<v1::RunStatus> StatusBoard::GetStatus() {
  SRLM_RETURN_IF_ERROR(Recount());
  v1::RunStatus status = counted_;
  const Clock::time_point now = Clock::now();
  status.set_run_id(context_.run_id);
  status.set_name(context_.config.name);
  status.set_folder(context_.run_dir);
  status.set_epoch(context_.epoch);
  status.set_state(state_);
  status.set_message(message_);
  status.set_round(static_cast<uint32_t>(machine_.round()));
  *status.mutable_progress() = machine_.Progress(now);
  if (!machine_.finished_phase().phase().empty()) *status.mutable_finished() = machine_.finished_phase();
  for (const auto& [id, worker] : context_.workers.all()) {
    v1::WorkerStatus& row = *status.add_workers();
    row.set_worker_id(id);
    row.set_host(worker.host);
    row.set_pid(worker.pid);
    row.set_leased_items(static_cast<uint32_t>(context_.queue.LeasedTo(id)));
    row.set_tokens_per_second(worker.stats.tokens_per_second());
    row.set_generated_tokens(worker.stats.generated_tokens());
    row.set_prefilled_tokens(worker.stats.prefilled_tokens());
    row.set_seconds_since_heard(SecondsBetween(worker.heard, now));
  }
  status.set_seconds(SecondsBetween(began_, now));
  status.set_duplicates(desk_.duplicates());
  status.set_version(kVersion);
  return status;
}

void StatusBoard::Publish(bool now) {
  const Clock::time_point time = Clock::now();
  if (!now && time < publish_after_) return;
  publish_after_ = time + kPublishEvery;
  Result<v1::RunStatus> status = GetStatus();
  const std::lock_guard lock(mutex_);
  if (status.ok()) snapshot_ = std::move(*status);
  // A ledger that cannot be read ends the run elsewhere; how the run is can be said all the same.
  snapshot_.set_state(state_);
  snapshot_.set_message(message_);
}

void StatusBoard::PublishLast() {
  Publish(true);
  {
    const std::lock_guard lock(mutex_);
    last_ = true;
  }
  ended_.notify_all();
}

v1::RunStatus StatusBoard::LastSnapshot(Deadline deadline) const {
  std::unique_lock lock(mutex_);
  ended_.wait_until(lock, deadline.at(), [&] { return last_; });
  return snapshot_;
}

v1::RunStatus StatusBoard::Snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

Result<v1::ListResponse> StatusBoard::List(const v1::ListRequest& request) {
  SRLM_ASSIGN_OR_RETURN(const ledger::ListPage page,
                        ledger::List(context_.ledger, request.table(), static_cast<int>(request.round()),
                                     request.limit(), request.page_token()));
  v1::ListResponse response;
  for (const auto& row : page.rows) response.add_rows_json(Dump(row));
  response.set_next_page_token(page.next_page_token);
  return response;
}

}  // namespace srlm::rounds
