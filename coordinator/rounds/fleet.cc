#include "coordinator/rounds/fleet.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/machine.h"
#include "common/config/device.h"
#include "coordinator/launcher/hosts.h"
#include "coordinator/rounds/launches.h"

namespace srlm::rounds {
namespace {

constexpr std::chrono::seconds kTimeToLeave(60);  // for a worker that is told to
constexpr std::chrono::seconds kTimeToEnd(10);    // for a group whose worker has left

}  // namespace

Fleet::Fleet(const Context& context, launcher::Launcher* launcher, std::string program_folder)
    : context_(context), launcher_(launcher), program_folder_(std::move(program_folder)) {
  replicas_.resize(launcher == nullptr ? 0 : static_cast<size_t>(context.config.workers.replicas));
}

bool Fleet::empty() const {
  return leftovers_.empty() &&
         std::ranges::all_of(replicas_, [](const Replica& replica) { return replica.launch_id.empty(); });
}

void Fleet::Extend(Clock::duration span) {
  for (Replica& replica : replicas_) {
    replica.register_by += span;
    if (replica.leave_by) *replica.leave_by += span;
  }
}

Status Fleet::Advance(Clock::time_point now, bool wanted) {
  if (launcher_ == nullptr && wanted && !told_ && context_.workers.all().empty() && !context_.queue.empty()) {
    told_ = true;
    context_.notice(fmt::format("work waits for workers; start them where their cores are:\n  mpirun -n {} {} --run {}",
                                context_.config.workers.tensor_parallel, program_folder_ + "/srlm-worker",
                                context_.run_dir));
  }
  SRLM_RETURN_IF_ERROR(EndLeftovers());
  for (Replica& replica : replicas_) {
    if (!replica.launch_id.empty()) {
      SRLM_RETURN_IF_ERROR(Watch(replica, now, wanted));
    } else if (wanted && context_.queue.waiting() > 0 && now >= replica.next_start) {
      SRLM_RETURN_IF_ERROR(Start(replica));
    }
  }
  return OkStatus();
}

void Fleet::Begin(Replica& replica, const std::string& launch_id) {
  replica.launch_id = launch_id;
  replica.log_dir = LogFolder(context_, "srlm-worker", launch_id);
  replica.finished_at_start = context_.queue.finished();
  replica.pauses_at_start = context_.room == nullptr ? 0 : context_.room->pauses();
  replica.joined = false;
  replica.register_by = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                           std::chrono::duration<double>(context_.config.launcher.register_timeout_s));
  replica.leave_by.reset();
  replica.stopped = false;
  replica.stuck = false;
}

Status Fleet::Start(Replica& replica) {
  launcher::LaunchSpec spec;
  spec.id = fmt::format("worker-{}-{}", context_.epoch, ++launches_);
  spec.program = program_folder_ + "/srlm-worker";
  spec.args = {"--run", context_.run_dir, "--launch-id", spec.id};
  // Each replica is an MPI job of its own, which cannot know that it shares the cores with the others.
  const config::WorkersConfig& workers = context_.config.workers;
  std::vector<std::string> hosts = config::HostsOf(workers, context_.config.launcher);
  if (hosts.empty()) hosts = launcher_->Hosts();
  spec.ranks = workers.tensor_parallel;
  const int ranks = workers.replicas * spec.ranks;
  const int on_host = hosts.empty() ? ranks : (ranks - 1) / static_cast<int>(hosts.size()) + 1;
  const int threads = workers.threads > 0 ? workers.threads : ThreadsPerRank(on_host);
  spec.args.insert(spec.args.end(),
                   {"--threads", std::to_string(threads), "--rank-timeout", fmt::format("{}", workers.rank_timeout_s)});
  const std::vector<std::string> device = config::FlagsOf(config::DeviceOf(context_.config));
  spec.args.insert(spec.args.end(), device.begin(), device.end());
  spec.threads = threads;
  spec.together = true;
  Begin(replica, spec.id);
  spec.log_dir = replica.log_dir;
  spec.hosts = launcher::HostsOfGroup(hosts, static_cast<int>(&replica - replicas_.data()), spec.ranks);
  return StartRecorded(context_, *launcher_, spec);
}

Status Fleet::TakeOver() {
  SRLM_ASSIGN_OR_RETURN(const auto rows, UnfinishedLaunches(context_));
  auto replica = replicas_.begin();
  for (const ledger::LaunchRow& row : rows) {
    SRLM_ASSIGN_OR_RETURN(const bool there, AdoptRecorded(context_, *launcher_, row));
    if (!there) continue;
    if (row.program == "srlm-worker" && replica != replicas_.end()) {
      Begin(*replica++, row.launch_id);
      continue;
    }
    leftovers_.push_back(row.launch_id);
    SRLM_RETURN_IF_ERROR(launcher_->Stop(row.launch_id, Deadline::AfterSeconds(kStopGraceSeconds)));
  }
  return OkStatus();
}

Status Fleet::EndLeftovers() {
  for (const std::string& id : std::vector<std::string>(leftovers_)) {
    SRLM_ASSIGN_OR_RETURN(const launcher::LaunchStatus status, launcher_->Poll(id));
    if (status.running) continue;
    std::erase(leftovers_, id);
    for (const std::string& worker_id : context_.workers.OfLaunch(id)) {
      context_.queue.Drop(worker_id, false, "");
      context_.workers.Remove(worker_id);
    }
    SRLM_RETURN_IF_ERROR(RecordEnd(context_, id, "ended by its coordinator's successor"));
  }
  return OkStatus();
}

Status Fleet::Watch(Replica& replica, Clock::time_point now, bool wanted) {
  SRLM_ASSIGN_OR_RETURN(const launcher::LaunchStatus status, launcher_->Poll(replica.launch_id));
  if (!status.running) return NoticeEnd(replica, status, now, wanted);
  if (replica.stopped) return OkStatus();
  const bool present = !context_.workers.OfLaunch(replica.launch_id).empty();
  replica.joined |= present;
  if (!replica.joined) {
    if (now < replica.register_by) return OkStatus();
    SRLM_RETURN_IF_ERROR(context_.Event("error", context_.round, "worker_late",
                                        fmt::format("{} did not register within {} s", replica.launch_id,
                                                    context_.config.launcher.register_timeout_s)));
    launcher_->GiveUpHostsOf(replica.launch_id);
    return EndStuck(replica.launch_id).status();
  }
  // Once its worker has left, only mpirun can keep a group.
  if (wanted && present) replica.leave_by.reset();
  if (!wanted && !replica.leave_by) replica.leave_by = now + kTimeToLeave;
  if (!present) replica.leave_by = std::min(replica.leave_by.value_or(now + kTimeToEnd), now + kTimeToEnd);
  if (!replica.leave_by || now < *replica.leave_by) return OkStatus();
  replica.stopped = true;
  return launcher_->Stop(replica.launch_id, Deadline::AfterSeconds(kStopGraceSeconds));
}

Result<bool> Fleet::EndStuck(const std::string& launch_id) {
  const auto replica = std::ranges::find(replicas_, launch_id, &Replica::launch_id);
  if (launch_id.empty() || replica == replicas_.end()) return false;
  if (std::exchange(replica->stuck, true)) return true;
  replica->stopped = true;
  SRLM_RETURN_IF_ERROR(context_.Event("error", context_.round, "worker_stuck", launch_id + " is ended"));
  SRLM_RETURN_IF_ERROR(launcher_->Stop(launch_id, Deadline::AfterSeconds(kStopGraceSeconds)));
  return true;
}

Status Fleet::NoticeEnd(Replica& replica, const launcher::LaunchStatus& status, Clock::time_point now, bool wanted) {
  const std::string launch_id = std::exchange(replica.launch_id, "");
  SRLM_RETURN_IF_ERROR(RecordEnd(context_, launch_id, status.reason));
  // Of an adopted group only its worker's goodbye tells that it ended in order.
  const bool failed = status.exit_code == launcher::kExitUnknown ? !context_.workers.OfLaunch(launch_id).empty()
                                                                 : status.exit_code != 0;
  const bool died = replica.stuck || (failed && !replica.stopped);
  // Who ended while there was no room, for logs or results, says nothing about items and workers.
  const bool no_room = context_.room != nullptr && context_.room->pauses() != replica.pauses_at_start;
  for (const std::string& worker_id : context_.workers.OfLaunch(launch_id)) {
    SRLM_RETURN_IF_ERROR(context_.RecordFailedTries(context_.queue.Drop(
        worker_id, died && !no_room, fmt::format("its worker {} died ({})", worker_id, status.reason))));
    context_.workers.Remove(worker_id);
  }
  if (context_.queue.finished() > replica.finished_at_start) replica.failures = 0;
  if (!died && !wanted) return OkStatus();
  if (!no_room) ++replica.failures;
  const std::string why = Explain(status, replica.log_dir);
  if (died) SRLM_RETURN_IF_ERROR(context_.Event("error", context_.round, "worker_died", launch_id + ": " + why));
  if (replica.failures > context_.config.coordinator.max_relaunches)
    return FailedPrecondition(
        fmt::format("workers ended {} times without finishing an item; the last one: {}", replica.failures, why));
  replica.next_start = now + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
                                 BackoffSeconds(context_.config.coordinator, replica.failures)));
  return OkStatus();
}

}  // namespace srlm::rounds
