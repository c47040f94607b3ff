// srlm-worker: a replica of the model that works for a run, and the same engine on files. Under mpirun all ranks are
// one replica, which holds its model in parts.
#include <chrono>
#include <cstdio>
#include <memory>
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
Status Lead(const Command& command, GroupLeader* group, const std::string& arithmetic_id) {
  return std::visit(Either{[&](const GenerateOptions& options) { return Generate(options, group); },
                           [&](const JudgeOptions& options) {
                             return options.pairwise ? JudgePairs(options, group) : Judge(options, group);
                           },
                           [&](const LogprobsOptions& options) { return Logprobs(options, group); },
                           [&](const ReplicaOptions& options) { return RunReplica(options, group, arithmetic_id); }},
                    command);
}

/// The part of each other rank.
Status Follow(const Command& command, srlm::parallel::Communicator& world) {
  if (const auto* replica = std::get_if<ReplicaOptions>(&command)) return FollowReplica(*replica, world);
  const FileOptions& files = FileOptionsOf(command);
  return FollowLeader(world, files.threads > 0 ? files.threads : DefaultThreads(),
                      [](const std::string&, const std::string&) { return srlm::OkStatus(); });
}

double RankTimeoutOf(const Command& command) {
  const auto* replica = std::get_if<ReplicaOptions>(&command);
  return replica != nullptr ? replica->rank_timeout_s : FileOptionsOf(command).rank_timeout_s;
}

End Run(const Command& command, srlm::parallel::MpiSession& session) {
  session.set_end_timeout_s(RankTimeoutOf(command));
  auto world = session.World({.timeout_s = RankTimeoutOf(command)});
  if (!world.ok()) return {world.status(), false};
  if (Status same = CheckSameProgram(**world); !same.ok())
    return {same, same.code() == srlm::Code::kFailedPrecondition};  // any other: it could not be asked
  const auto arithmetic_id = GroupArithmeticId(**world);
  if (!arithmetic_id.ok()) return {arithmetic_id.status(), false};
  if ((*world)->rank() != 0) {
    const Status status = Follow(command, **world);
    return {status, status.ok()};
  }
  if ((*world)->size() == 1) return {Lead(command, nullptr, *arithmetic_id)};
  GroupLeader leader(**world);
  const Status status = Lead(command, &leader, *arithmetic_id);
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
