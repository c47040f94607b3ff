// srlm-worker: a replica of the model that works for a run, and the same engine on files. Under mpirun all ranks are
// one replica, which holds its model in parts.
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>

#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/parallel/mpi_session.h"
#include "worker/command_line.h"
#include "worker/commands/commands.h"
#include "worker/commands/file_session.h"
#include "worker/engine/group.h"
#include "worker/roles/replica.h"

namespace {

using namespace srlm::worker;  // NOLINT(google-build-using-namespace)
using srlm::Status;

constexpr std::chrono::seconds kTimeToPart(1);  // of the two that ranks have to end after a deadline

template <class... Cases>
struct Either : Cases... {
  using Cases::operator()...;
};

void Say(const Status& status) { std::fprintf(stderr, "srlm-worker: %s\n", status.message().c_str()); }

/// How this rank's part ended.
struct End {
  Status status;
  bool together = true;  // false: the ranks are apart, and cannot end MPI together
};

/// The command, by the rank that leads `group`; null: by this rank alone.
Status Lead(const Command& command, const ComputeOptions& compute, GroupLeader* group,
            const std::string& arithmetic_id) {
  return std::visit(
      Either{[&](const GenerateOptions& options) { return Generate(options, compute, group); },
             [&](const JudgeOptions& options) {
               return options.pairwise ? JudgePairs(options, compute, group) : Judge(options, compute, group);
             },
             [&](const LogprobsOptions& options) { return Logprobs(options, compute, group); },
             [](const DevicesOptions&) { return ShowDevices(); },
             [&](const ReplicaOptions& options) { return RunReplica(options, compute, group, arithmetic_id); }},
      command);
}

/// The part of each other rank.
Status Follow(const Command& command, const ComputeOptions& compute, srlm::parallel::Communicator& world) {
  if (const auto* replica = std::get_if<ReplicaOptions>(&command)) return FollowReplica(*replica, compute, world);
  return FollowLeader(world, compute, [](const std::string&, const std::string&) { return srlm::OkStatus(); });
}

/// What all commands say about how they are run.
struct RunOptions {
  double rank_timeout_s = 0;
  srlm::config::DeviceChoice device;
  int threads = 0;  // 0: not said
  bool own_kernels = false;
};
RunOptions RunOptionsOf(const Command& command) {
  if (const auto* replica = std::get_if<ReplicaOptions>(&command)) {
    return {replica->rank_timeout_s, replica->device, replica->threads, false};
  }
  const FileOptions& files = FileOptionsOf(command);
  return {files.rank_timeout_s, files.device, files.threads, files.own_kernels};
}

/// With `device`, which gets what this rank takes.
srlm::Result<ComputeOptions> ComputeOptionsOf(const Command& command, srlm::parallel::MpiSession& session,
                                              std::optional<srlm::device::Device>& device) {
  const RunOptions options = RunOptionsOf(command);
  const bool leads_run = std::holds_alternative<ReplicaOptions>(command) && session.rank() == 0;
  ComputeOptions compute;
  compute.threads = options.threads > 0 || leads_run ? options.threads : DefaultThreads();
  SRLM_RETURN_IF_ERROR(options.device.Check());
  if (options.device.device == srlm::config::Device::kCpu) return compute;
  auto taken = session.TakeDevice({.timeout_s = options.rank_timeout_s});
  if (!taken.ok()) return taken.status();
  device = std::move(taken).value();
  if (!device->warning.empty()) std::fprintf(stderr, "srlm-worker: %s\n", device->warning.c_str());
  compute.device = &*device;
  compute.own_kernels = options.own_kernels;
  if (options.device.bfloat16()) compute.numbers = NumberType::kBFloat16;
  return compute;
}

End Run(const Command& command, srlm::parallel::MpiSession& session) {
  const double rank_timeout_s = RunOptionsOf(command).rank_timeout_s;
  session.set_end_timeout_s(rank_timeout_s);
  std::optional<srlm::device::Device> device;
  const auto compute = ComputeOptionsOf(command, session, device);
  if (!compute.ok()) return {compute.status()};  // all ranks have heard of it, or nobody waits
  auto world = session.World({.timeout_s = rank_timeout_s}, session.size() > 1 ? compute->device : nullptr);
  if (!world.ok()) return {world.status(), false};
  if (Status same = CheckSameProgram(**world); !same.ok())
    return {same, same.code() == srlm::Code::kFailedPrecondition};  // any other: it could not be asked
  const auto arithmetic_id = GroupArithmeticId(**world, *compute);
  if (!arithmetic_id.ok()) return {arithmetic_id.status(), false};
  if ((*world)->rank() != 0) {
    const Status status = Follow(command, *compute, **world);
    return {status, status.ok()};
  }
  if ((*world)->size() == 1) return {Lead(command, *compute, nullptr, *arithmetic_id)};
  GroupLeader leader(**world);
  const Status status = Lead(command, *compute, &leader, *arithmetic_id);
  return {status, !leader.failed()};
}

}  // namespace

int main(int argc, char** argv) {
  if (const Status armed = srlm::ArmFailpoints(); !armed.ok()) {
    Say(armed);
    return kExitUsage;
  }
  const auto parsed = ParseCommandLine(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  const Command& command = std::get<Command>(parsed);
  if (std::holds_alternative<DevicesOptions>(command)) {
    const Status shown = ShowDevices();
    if (!shown.ok()) Say(shown);
    return shown.ok() ? kExitDone : kExitFailed;
  }
  auto session = srlm::parallel::MpiSession::Start(&argc, &argv);
  if (!session.ok()) {
    Say(session.status());
    return kExitFailed;
  }
  // A replica logs into its run's folder; the file commands say on stderr which rows failed.
  if (!std::holds_alternative<ReplicaOptions>(command)) srlm::StartLogging("srlm-worker", "", {});
  const End end = Run(command, **session);
  if (end.status.ok()) return kExitDone;
  Say(end.status);
  if (!end.together) {
    // The first rank that ends takes all along: rank 0, whose deadline passes as well, first gives back what it has.
    if ((*session)->rank() != 0) std::this_thread::sleep_for(kTimeToPart);
    (*session)->Abort(kExitFailed);
  }
  return kExitFailed;
}
