#include "coordinator/rounds/coordinator.h"

#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <random>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/version.h"
#include "common/rpc/run_address.h"
#include "common/rpc/server.h"
#include "coordinator/ledger/apart.h"
#include "coordinator/ledger/owner_lock.h"
#include "coordinator/rounds/desk.h"
#include "coordinator/rounds/launches.h"
#include "coordinator/rounds/room_pause.h"
#include "coordinator/rounds/status_board.h"
#include "coordinator/rounds/stored_config.h"
#include "coordinator/rounds/unfinished_files.h"
#include "coordinator/schedule/loop.h"
#include "coordinator/services/front_door.h"
#include "coordinator/services/run_service.h"
#include "coordinator/services/training_service.h"
#include "coordinator/services/work_service.h"

namespace srlm::rounds {
namespace {

// For workers to hand in what they hold and to leave. At the end of a run they hold nothing.
constexpr std::chrono::seconds kTimeToLeave(5), kTimeToHandIn(60);
// For stopped groups, which are killed kStopGraceSeconds after they were asked to end; a training job has
// trainer.stop_timeout_s before that.
constexpr std::chrono::seconds kTimeToEnd(15);

// Longer than that between two turns this process was stopped, or waited for its disk.
constexpr std::chrono::seconds kLongestTurn(2);

schedule::QueueOptions QueueOptionsOf(const config::CoordinatorConfig& config, uint64_t epoch) {
  return {.lease_timeout = std::chrono::nanoseconds(static_cast<int64_t>(config.lease_timeout_s * 1e9)),
          .lease_items = config.lease_items,
          .max_tries = config.max_item_tries,
          .epoch = epoch};
}

schedule::LoopOptions LoopOptionsOf(const config::CoordinatorConfig& config, std::chrono::milliseconds tick) {
  return {std::chrono::milliseconds(config.commit_ms), config.commit_results, tick};
}

std::string NewRunId() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

}  // namespace

// Members are destroyed from the last to the first: the server goes before what it calls, the lock last.
struct Coordinator::Parts {
  Parts(const config::RunConfig& run_config, CoordinatorOptions given, std::unique_ptr<ledger::OwnerLock> lock,
        std::unique_ptr<ledger::Ledger> opened, uint64_t epoch)
      : config(run_config),
        options(std::move(given)),
        owner(std::move(lock)),
        ledger(std::move(opened)),
        queue(QueueOptionsOf(config.coordinator, epoch)),
        workers(epoch) {}

  srlm::Status Serve();
  Result<bool> Tick();
  Result<bool> TickHeld(Clock::time_point now);
  Result<bool> TickDrained(Clock::time_point now);
  srlm::Status Record(const std::string& state, const std::string& message);
  Result<bool> TickToTheEnd(Clock::time_point now);
  srlm::Status NoteEnd(Machine::State state);

  config::RunConfig config;
  CoordinatorOptions options;
  std::unique_ptr<ledger::OwnerLock> owner;
  std::unique_ptr<ledger::Ledger> ledger;
  Inputs inputs;
  std::unique_ptr<ModelBook> models;
  schedule::WorkQueue queue;
  schedule::Workers workers;
  std::optional<Context> context;
  std::unique_ptr<Controls> controls;
  std::unique_ptr<Machine> machine;
  std::unique_ptr<Desk> desk;
  std::unique_ptr<StatusBoard> board;
  std::unique_ptr<schedule::Loop> loop;
  std::unique_ptr<RoomPause> room;
  std::unique_ptr<services::WorkService> work_service;
  std::unique_ptr<services::TrainingService> training_service;
  std::unique_ptr<services::RunService> run_service;
  std::unique_ptr<rpc::Server> server;

  bool ran = false;
  std::atomic<int> stops = 0;      // calls of Stop
  std::atomic<bool> soon = false;  // of StopSoon
  std::atomic<bool> drain = false;
  std::optional<RunEnd> end;  // decided; the workers are being let go
  Clock::time_point goodbye_by{};
  Clock::time_point last_tick{};
  Clock::time_point renew_at{};  // the owner's lock
};

Result<std::unique_ptr<Coordinator>> Coordinator::Create(const config::RunConfig& config, const std::string& run_dir,
                                                         CoordinatorOptions options) {
  if (!options.inputs) {
    SRLM_RETURN_IF_ERROR(config::CheckInputs(config));
    SRLM_ASSIGN_OR_RETURN(options.inputs, ReadInputs(config));
  }
  SRLM_RETURN_IF_ERROR(MakeFolders(run_dir + "/logs"));
  const std::string folder = std::filesystem::canonical(run_dir).string();
  SRLM_ASSIGN_OR_RETURN(ledger::OwnerLock claimed, ledger::OwnerLock::Claim(folder, {.take_over = options.take_over}));
  auto owner = std::make_unique<ledger::OwnerLock>(std::move(claimed));
  if (owner->displaced()) SRLM_RETURN_IF_ERROR(ledger::SetLedgerApart(folder));
  RemoveUnfinishedFiles(folder);
  SRLM_RETURN_IF_ERROR(StoreConfig(config, folder));
  SRLM_ASSIGN_OR_RETURN(auto ledger, ledger::Ledger::Open(folder, [lock = owner.get()] { return lock->Check(); }));
  SRLM_ASSIGN_OR_RETURN(const std::string last_epoch, ledger->Fact("epoch"));
  const uint64_t epoch = last_epoch.empty() ? 1 : std::stoull(last_epoch) + 1;
  SRLM_RETURN_IF_ERROR(owner->SetEpoch(epoch));

  auto parts = std::make_unique<Parts>(config, std::move(options), std::move(owner), std::move(ledger), epoch);
  parts->inputs = std::move(*parts->options.inputs);
  SRLM_RETURN_IF_ERROR(AcceptInputs(parts->config, parts->inputs, *parts->ledger));
  SRLM_ASSIGN_OR_RETURN(parts->models, ModelBook::Open(parts->config, folder, *parts->ledger));
  SRLM_ASSIGN_OR_RETURN(std::string run_id, parts->ledger->Fact("run_id"));
  if (run_id.empty()) run_id = NewRunId();
  for (const auto& [key, value] : {std::pair{"run_id", run_id},
                                   {"name", config.name},
                                   {"version", kVersion},
                                   {"epoch", std::to_string(epoch)},
                                   {"state", "running"},
                                   {"message", ""}})
    SRLM_RETURN_IF_ERROR(parts->ledger->SetFact(key, value));
  auto notice = parts->options.notice ? parts->options.notice
                                      : [](const std::string& line) { LogInfo("notice", {{"text", line}}); };
  parts->context.emplace(Context{parts->config,
                                 folder,
                                 run_id,
                                 epoch,
                                 *parts->ledger,
                                 *parts->models,
                                 parts->inputs,
                                 parts->queue,
                                 parts->workers,
                                 std::move(notice),
                                 {}});
  if (!parts->options.launcher) SRLM_RETURN_IF_ERROR(EndLeftovers(*parts->context));
  SRLM_RETURN_IF_ERROR(parts->Serve());
  return std::unique_ptr<Coordinator>(new Coordinator(std::move(parts)));
}

srlm::Status Coordinator::Parts::Serve() {
  machine = std::make_unique<Machine>(*context, options.launcher.get(), options.program_folder);
  SRLM_RETURN_IF_ERROR(machine->TakeOver());
  desk = std::make_unique<Desk>(*context, *machine);
  SRLM_ASSIGN_OR_RETURN(const std::string duplicates, ledger->Fact("duplicates"));
  if (!duplicates.empty()) desk->set_duplicates(std::stoull(duplicates));
  controls = std::make_unique<Controls>(*context);
  board = std::make_unique<StatusBoard>(*context, *machine, *desk, *controls);
  loop = std::make_unique<schedule::Loop>(*ledger, LoopOptionsOf(config.coordinator, options.tick));
  context->turn_again = [this] { loop->TurnAgain(); };
  room = std::make_unique<RoomPause>(*context, *loop, *board, *controls, *owner, [this] { return stops > 0 || drain; });
  context->room = room.get();
  ledger->WaitForRoom([this](const srlm::Status& failure) { return room->WaitAfter(failure); });
  work_service = std::make_unique<services::WorkService>(*loop, *desk);
  training_service = std::make_unique<services::TrainingService>(*loop, *desk);
  run_service = std::make_unique<services::RunService>(*loop, *board);
  SRLM_RETURN_IF_ERROR(
      context->Event("info", 0, "coordinator_began",
                     fmt::format("epoch {}, security {}", context->epoch, config::NameOf(config.security))));
  SRLM_RETURN_IF_ERROR(ledger->Commit());
  board->Publish(true);
  SRLM_ASSIGN_OR_RETURN(services::FrontDoor door,
                        services::OpenFrontDoor(config, context->run_dir, context->run_id,
                                                {work_service.get(), training_service.get(), run_service.get()}));
  server = std::move(door.server);
  const rpc::RunAddress address{context->run_id,     door.advertised,    context->epoch,
                                owner->owner().host, owner->owner().pid, config.security == config::Security::kTls};
  return owner->WhileOurs([&] { return rpc::WriteRunAddress(context->run_dir, address); });
}

// Stopped: the groups are asked to end, and may hand in what they hold.
Result<bool> Coordinator::Parts::TickToTheEnd(Clock::time_point now) {
  if (end != RunEnd::kStopped) {
    end = RunEnd::kStopped;
    board->SetState("stopping", "");
    goodbye_by = now + kTimeToEnd;
    if (machine->training_now() && !soon)
      goodbye_by +=
          std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(config.trainer.stop_timeout_s));
  }
  SRLM_ASSIGN_OR_RETURN(const bool gone, machine->EndGroups(!soon));
  board->Publish(false);
  return !gone && now < goodbye_by;
}

srlm::Status Coordinator::Parts::Record(const std::string& state, const std::string& message) {
  board->SetState(state, message);
  SRLM_RETURN_IF_ERROR(ledger->SetFact("state", state));
  return ledger->SetFact("message", message);
}

// Paused or cancelled by a person. A cancelled run ends when everything else has, a paused one stays.
Result<bool> Coordinator::Parts::TickHeld(Clock::time_point now) {
  SRLM_ASSIGN_OR_RETURN(const bool idle, machine->Hold(now));
  board->Publish(false);
  if (!idle) return true;
  const bool cancel = controls->wish() == Controls::Wish::kCancel;
  const std::string state = cancel ? "cancelled" : "paused";
  if (board->state() != state) {
    SRLM_RETURN_IF_ERROR(Record(state, controls->Words(state)));
    SRLM_RETURN_IF_ERROR(context->Event("info", machine->round(), state, controls->Words(state)));
    board->Publish(true);
  }
  if (!cancel) return true;
  end = RunEnd::kCancelled;
  goodbye_by = now + kTimeToLeave;
  return true;
}

// Its time is up: as a pause, and then the end.
Result<bool> Coordinator::Parts::TickDrained(Clock::time_point now) {
  if (board->state() != "stopping") board->SetState("stopping", "what is begun is handed in");
  SRLM_ASSIGN_OR_RETURN(const bool idle, machine->Hold(now));
  board->Publish(false);
  if (!idle) return true;
  end = RunEnd::kStopped;
  if (controls->wish() == Controls::Wish::kPause) {
    end = RunEnd::kPaused;
    SRLM_RETURN_IF_ERROR(Record("paused", controls->Words("paused")));
  }
  goodbye_by = now + kTimeToLeave;
  return true;
}

// The state machine has come to an end.
srlm::Status Coordinator::Parts::NoteEnd(Machine::State state) {
  switch (state) {
    case Machine::State::kDone:
      end = RunEnd::kDone;
      SRLM_RETURN_IF_ERROR(Record("done", ""));
      return context->Event("info", machine->round(), "run_done", "");
    case Machine::State::kEnded:
      end = RunEnd::kEnded;
      SRLM_RETURN_IF_ERROR(Record("ended", machine->problem()));
      return context->Event("warning", machine->round(), "run_ended", machine->problem());
    default: end = RunEnd::kPaused; return Record("paused", machine->problem());
  }
}

// One turn of the state machine; whether the loop goes on.
Result<bool> Coordinator::Parts::Tick() {
  SRLM_RETURN_IF_ERROR(desk->failure());
  if (!end) SRLM_RETURN_IF_ERROR(room->Watch(Clock::now()));
  SRLM_RETURN_IF_ERROR(controls->Record());
  const Clock::time_point now = Clock::now();
  const Clock::time_point last = std::exchange(last_tick, now);
  if (last != Clock::time_point{} && now - last > kLongestTurn) SRLM_RETURN_IF_ERROR(machine->SleptFor(now - last));
  if (now >= renew_at) {
    SRLM_RETURN_IF_ERROR(context->WithRoom([&] { return owner->Renew(); }));
    renew_at = now + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(ledger::kRenewSeconds));
  }
  if (stops > 0) return TickToTheEnd(now);
  if (!end && drain && controls->wish() != Controls::Wish::kCancel) return TickDrained(now);
  if (!end && controls->wish() != Controls::Wish::kGoOn) return TickHeld(now);
  if (!end && machine->held()) {
    machine->Release();
    SRLM_RETURN_IF_ERROR(Record("running", ""));
  }
  if (!end) {
    SRLM_ASSIGN_OR_RETURN(const Machine::State state, machine->Advance(now));
    board->Publish(false);
    if (state == Machine::State::kGoing) return true;
    SRLM_RETURN_IF_ERROR(NoteEnd(state));
    goodbye_by = now + (queue.leased() > 0 ? kTimeToHandIn : kTimeToLeave);
  }
  SRLM_ASSIGN_OR_RETURN(const bool gone, machine->Dismiss(now));
  board->Publish(false);
  return !gone && now < goodbye_by;
}

Coordinator::Coordinator(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Coordinator::~Coordinator() {
  parts_->loop->Stop();
  // Calls that came before Run wait for an answer, and the server for them.
  if (!parts_->ran) (void)parts_->loop->Run([] { return Result<bool>(false); });
  (void)parts_->owner->WhileOurs([&] {
    rpc::RemoveRunAddress(parts_->context->run_dir, parts_->context->epoch);
    return OkStatus();
  });
}

Result<RunEnd> Coordinator::Run() {
  Parts& parts = *parts_;
  parts.ran = true;
  const srlm::Status status = parts.loop->Run([&] { return parts.Tick(); });
  const bool called_off =  // instead of waiting for room, so that nothing can be recorded
      status.code() == Code::kResourceExhausted && parts.controls->wish() == Controls::Wish::kCancel;
  if (status.code() == Code::kAborted) {  // the groups are the next owner's to end or to keep
    if (parts.options.launcher) parts.options.launcher->Abandon();
    parts.board->SetState("failed", status.message());
  } else if (called_off) {
    parts.end = RunEnd::kCancelled;
    parts.board->SetState("cancelled", parts.controls->Words("cancelled") + "; not stored: " + status.message());
  } else if (!status.ok()) {
    parts.board->SetState("failed", status.message());
    // Best effort: when the ledger itself failed, this fails too, and the status that is returned says why.
    if (parts.ledger->SetFact("state", "failed").ok() && parts.ledger->SetFact("message", status.message()).ok())
      (void)parts.ledger->Commit();
  }
  // A ledger that failed cannot note these ends either; the status that is returned says why.
  (void)parts.machine->EndProgram("ended with its coordinator");
  if (parts.options.launcher)
    (void)EndAll(*parts.context, *parts.options.launcher, parts.stops > 1 ? 0 : kStopGraceSeconds);
  if (status.ok() && parts.end.value_or(RunEnd::kStopped) == RunEnd::kStopped)
    parts.board->SetState("stopped", "it goes on when `srlm run` is given again");
  parts.board->PublishLast();
  parts.server->Shutdown(Deadline::AfterSeconds(1));
  parts.options.launcher.reset();
  if (!status.ok() && !called_off) return status;
  return parts.end.value_or(RunEnd::kStopped);
}

void Coordinator::Stop() {
  if (++parts_->stops > 1) parts_->loop->Stop();
}

void Coordinator::StopSoon() {
  parts_->soon = true;
  Stop();
}

void Coordinator::Drain() { parts_->drain = true; }

bool Coordinator::GotFurther() const { return parts_->queue.finished() > 0 || parts_->desk->training_reports() > 0; }

std::optional<std::string> Coordinator::GoesOnWith() const {
  const Machine& machine = *parts_->machine;
  return machine.problem().empty() ? std::nullopt : std::optional(machine.go_on());
}

v1::RunStatus Coordinator::Status() const { return parts_->board->Snapshot(); }

const std::string& Coordinator::address() const { return parts_->server->address(); }

}  // namespace srlm::rounds
