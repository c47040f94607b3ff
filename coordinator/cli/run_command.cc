#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "common/base/file.h"
#include "common/base/log.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/job_end.h"
#include "coordinator/cli/output.h"
#include "coordinator/cli/progress.h"
#include "coordinator/cli/rounds_table.h"
#include "coordinator/cli/run_inputs.h"
#include "coordinator/cli/signals.h"
#include "coordinator/cli/stopper.h"
#include "coordinator/cli/text.h"
#include "coordinator/rounds/coordinator.h"
#include "coordinator/rounds/room.h"
#include "coordinator/rounds/stored_config.h"

namespace srlm::cli {
namespace {

/// Lines from the coordinator's thread, for the thread that prints.
class Notices {
 public:
  void Add(const std::string& line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(line);
  }
  std::vector<std::string> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// Works the run in a thread of its own while this one prints and looks out for what ends it.
Result<rounds::RunEnd> Drive(rounds::Coordinator& coordinator, StopSignals& signals, Notices& notices, JobEnd* job) {
  constexpr double kSecondsBetweenLooks = 0.2;
  std::optional<Result<rounds::RunEnd>> end;
  const int ended = eventfd(0, EFD_CLOEXEC);
  std::thread work([&] {
    end = coordinator.Run();
    eventfd_write(ended, 1);
  });
  {
    ProgressPrinter printer(stdout, isatty(STDOUT_FILENO) == 1, TerminalWidth(STDOUT_FILENO));
    Stopper stopper(coordinator, job, printer);
    pollfd event{ended, POLLIN, 0};
    while (poll(&event, 1, 0) == 0) {
      const int signal = signals.Wait(ended, Deadline::AfterSeconds(kSecondsBetweenLooks));
      if (signal != 0) stopper.OnSignal(signal);
      stopper.LookAtJob(Clock::now());
      for (const std::string& line : notices.Take()) printer.Note(line);
      printer.Update(coordinator.Status());
    }
  }
  work.join();
  close(ended);
  return std::move(*end);
}

/// `instead`: an override that takes the place of those of its key; empty: none.
std::string ContinueLine(const RunOptions& options, const std::string& run_dir, const std::string& instead = "") {
  std::string line = fmt::format("{} run {} --run-dir {}", options.program, options.config, run_dir);
  const std::string key = instead.substr(0, instead.find('=') + 1);
  for (const std::string& text : options.overrides)
    if (instead.empty() || !text.starts_with(key)) line += fmt::format(" --set '{}'", text);
  return instead.empty() ? line : line + fmt::format(" --set '{}'", instead);
}

/// The table of rounds and where to look next.
void Summarise(const rounds::Coordinator& coordinator, const RunOptions& options, const std::string& run_dir,
               bool done) {
  const v1::RunStatus status = coordinator.Status();
  const std::string rounds = DescribeRounds(status.rounds(), TerminalWidth(STDOUT_FILENO));
  if (!rounds.empty()) (void)Print("\n" + rounds);
  if (!done) return;
  (void)Print(fmt::format(
      "\nLook at what it made:\n"
      "  {1} inspect {0} candidates   answers with their votes and scores\n"
      "  {1} inspect {0} pairs        what was chosen over what\n"
      "  {1} export {0} pairs         the same for other trainers (TRL's format)\n"
      "{2} are Hugging Face folders in {0}/models\n",
      run_dir, options.program, status.rounds_size() > 1 ? fmt::format("M1 to M{}", status.rounds_size()) : "M1"));
}

/// Says how it ended; gives the exit code.
int Conclude(const Result<rounds::RunEnd>& end, const rounds::Coordinator& coordinator, const RunOptions& options,
             const std::string& run_dir) {
  if (end.status().code() == Code::kAborted) return Fail(end.status());  // the run goes on without this process
  if (!end.ok()) {
    Fail(end.status());
    std::fprintf(stderr, "srlm: logs are in %s/logs; when it is mended, go on with\n  %s\n", run_dir.c_str(),
                 ContinueLine(options, run_dir).c_str());
    return kExitFailed;
  }
  Summarise(coordinator, options, run_dir, *end == rounds::RunEnd::kDone);
  if (*end == rounds::RunEnd::kDone) return kExitDone;
  std::string why = "stopped";
  if (*end == rounds::RunEnd::kPaused) why = "paused: " + coordinator.Status().message();
  if (*end == rounds::RunEnd::kEnded) why = "ended: " + coordinator.Status().message();
  if (*end == rounds::RunEnd::kCancelled) why = coordinator.Status().message();
  const auto change = coordinator.GoesOnWith();
  const char* const how = !change           ? "go on with"
                          : change->empty() ? "with that changed, go on with"
                                            : "to go on with what is broken as warnings:";
  std::fprintf(stderr, "srlm: %s\nsrlm: %s\n  %s\n", why.c_str(), how,
               ContinueLine(options, run_dir, change.value_or("")).c_str());
  return kExitFailed;
}

/// The end of a run whose Slurm job has no time left: the job starts again when there is room.
int PutBack(const JobEnd& job, bool further, const RunOptions& options, const std::string& run_dir) {
  Status put_back = FailedPrecondition(
      fmt::format("nothing was finished in the time of Slurm job {}, so it is not put back into the queue: submit it "
                  "with more --time, or with a lower launcher.drain_s",
                  job.job().id));
  if (further) put_back = job.Requeue();
  if (put_back.ok())
    return Finish(Print(fmt::format("Slurm job {} is back in the queue, and goes on with the run\n", job.job().id)));
  std::fprintf(stderr, "srlm: in a job or without, go on with\n  %s\n", ContinueLine(options, run_dir).c_str());
  return Fail(put_back);
}

}  // namespace

int Run(const RunOptions& options) {
  auto inputs = LoadRunInputs(options);
  if (!inputs.ok()) return Fail(inputs.status());
  const config::RunConfig& config = inputs->config;
  const std::string& run_dir = inputs->run_dir;
  const auto differences = rounds::CompareWithRun(config, run_dir);
  if (!differences.ok()) return Fail(differences.status());
  for (const config::Difference& each : *differences)
    (void)Print(fmt::format("{}: {} in the run so far, {} from now on\n", each.key, each.before, each.after));
  if (options.check) return Finish(Print(options.config + ": right; every file it names is there and readable\n"));

  const rounds::Room room(config.coordinator, run_dir);
  if (const Status enough = room.Check(); !enough.ok())
    return Fail(Status(enough.code(), enough.message() + ", and start again" + room.WhatMayGo()));
  StopSignals signals;
  if (const Status made = MakeFolders(run_dir + "/logs"); !made.ok()) return Fail(made);
  StartLogging("srlm", run_dir + "/logs/coordinator.log", {{"run", config.name}});
  Notices notices;
  rounds::CoordinatorOptions parts;
  parts.program_folder = ProgramFolder();
  parts.notice = [&](const std::string& line) { notices.Add(line); };
  parts.inputs = std::move(inputs->files);
  parts.take_over = options.take_over;
  std::unique_ptr<JobEnd> job;
  if (config.launcher.kind == config::LauncherKind::kSlurm) {
    auto made = JobEnd::Make(config.launcher);
    if (!made.ok()) return Fail(made.status());
    job = std::move(*made);
  }
  if (config.launcher.kind != config::LauncherKind::kNone) {
    auto made =
        job == nullptr ? launcher::MakeLocalLauncher(config.launcher) : launcher::MakeSlurmLauncher(config, job->job());
    if (!made.ok()) return Fail(made.status());
    parts.launcher = std::move(*made);
  }
  auto coordinator = rounds::Coordinator::Create(config, run_dir, std::move(parts));
  if (!coordinator.ok()) return Fail(coordinator.status());
  (void)Print(fmt::format("run {} in {}; `{} status {}` answers from another terminal\n", config.name, run_dir,
                          options.program, run_dir));
  if (config.security == config::Security::kOff)
    (void)Print("security: off: whoever reaches the coordinator's port on this host may read and steer this run\n");
  if (job != nullptr)
    (void)Print(fmt::format("Slurm job {} on {}, start {}\n", job->job().id, fmt::join(job->job().nodes, ", "),
                            job->job().restarts + 1));
  const auto end = Drive(**coordinator, signals, notices, job.get());
  if (job == nullptr || !job->came() || !end.ok() || *end != rounds::RunEnd::kStopped)
    return Conclude(end, **coordinator, options, run_dir);
  const bool further = (*coordinator)->GotFurther();
  coordinator->reset();  // the run is nobody's now: the job's next start takes it
  return PutBack(*job, further, options, run_dir);
}

}  // namespace srlm::cli
