// srlm-trainer: SFT and DPO, one job each launch, on the ranks of an mpirun or alone.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/parallel/mpi_session.h"
#include "trainer/command_line.h"
#include "trainer/job/job.h"
#include "trainer/job/termination_notice.h"
#include "trainer/report/coordinator_reporter.h"

namespace {

using srlm::Result;
using srlm::Status;
using srlm::trainer::JobEnd;
using srlm::trainer::Reporter;
using srlm::trainer::TerminationNotice;
using srlm::trainer::TrainerOptions;

constexpr std::chrono::seconds kTimeToReport(1);  // of the two that ranks have to end after a deadline

void Say(const Status& status) { std::fprintf(stderr, "srlm-trainer: %s\n", status.message().c_str()); }

/// Whether the job stopped in order, as it was told to.
bool Stopped(const JobEnd& end) { return end.everywhere && end.status.code() == srlm::Code::kCancelled; }

/// This rank's own log where a coordinator started us; empty: standard error.
std::string LogFile(int rank) {
  const char* const folder = std::getenv("SRLM_LOG_DIR");
  return folder == nullptr ? "" : std::string(folder) + "/" + std::to_string(rank) + ".log";
}

/// Rank 0's reporter for a job of a run; the other ranks, and a job alone, have none.
Result<std::unique_ptr<Reporter>> MakeReporter(const TrainerOptions& options, srlm::parallel::Communicator& world) {
  if (options.run.empty() || world.rank() != 0) return std::unique_ptr<Reporter>();
  const srlm::parallel::AloneWork alone(world, "finding the coordinator");
  return srlm::trainer::ConnectToCoordinator(options.run, options.job_id, options.launch_id);
}

JobEnd Run(const TrainerOptions& options, srlm::parallel::MpiSession& session, TerminationNotice& notice) {
  session.set_end_timeout_s(options.timeout_s);
  if (Status wrong = options.device.Check(); !wrong.ok()) return {wrong, true, true};
  std::optional<srlm::device::Device> device;
  if (options.device.device == srlm::config::Device::kCuda) {
    auto taken = session.TakeDevice({.timeout_s = options.timeout_s});
    if (!taken.ok()) return {taken.status()};
    device = std::move(taken).value();
    if (!device->warning.empty()) srlm::LogWarning("device", {{"warning", device->warning}});
  }
  auto world = session.World({.timeout_s = options.timeout_s}, device ? &*device : nullptr);
  if (!world.ok()) return {world.status(), false};
  auto reporter = MakeReporter(options, **world);
  const auto connected = srlm::parallel::Agree(**world, reporter.status(), "finding the coordinator");
  if (!connected.status.ok()) return {connected.status, connected.together};
  JobEnd end = srlm::trainer::RunJob(
      options, **world, reporter->get(), [&notice] { return notice.Came(); }, device ? &*device : nullptr);
  if (!end.status.ok() && !Stopped(end) && *reporter) (*reporter)->Failed(end.status);
  return end;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace srlm::trainer;  // NOLINT(google-build-using-namespace)
  if (const Status armed = srlm::ArmFailpoints(); !armed.ok()) {
    Say(armed);
    return kExitUsage;
  }
  TerminationNotice notice;  // before MPI and its threads
  auto session = srlm::parallel::MpiSession::Start(&argc, &argv);
  if (!session.ok()) {
    Say(session.status());
    return kExitFailed;
  }
  const int rank = (*session)->rank();
  const auto parsed = ParseCommandLine(argc, argv);
  if (const auto* not_run = std::get_if<NotRun>(&parsed)) {
    if (rank == 0) std::fputs(not_run->text.c_str(), not_run->exit_code == kExitDone ? stdout : stderr);
    return not_run->exit_code;
  }
  srlm::StartLogging("srlm-trainer", LogFile(rank), {{"rank", rank}});
  const JobEnd end = Run(std::get<TrainerOptions>(parsed), **session, notice);
  if (end.status.ok()) return kExitDone;
  const bool others_say = end.everywhere || end.status.code() == srlm::Code::kAborted;
  if (rank == 0 || !others_say) Say(end.status);
  if (!end.together) {
    // The first rank that ends takes all along. Rank 0, whose deadline passes as well, is the one that tells the
    // coordinator whom they waited for.
    if (rank != 0) std::this_thread::sleep_for(kTimeToReport);
    (*session)->Abort(kExitFailed);
  }
  return Stopped(end) ? kExitStopped : kExitFailed;
}
