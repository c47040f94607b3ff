// srlm-worker: a replica of the model that works for a run, and the same engine on files.
#include <cstdio>

#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "worker/command_line.h"
#include "worker/commands/commands.h"
#include "worker/roles/replica.h"

namespace {

template <class... Cases>
struct Either : Cases... {
  using Cases::operator()...;
};

}  // namespace

int main(int argc, char** argv) {
  using namespace srlm::worker;  // NOLINT(google-build-using-namespace)
  if (const srlm::Status armed = srlm::ArmFailpoints(); !armed.ok()) {
    std::fprintf(stderr, "srlm-worker: %s\n", armed.message().c_str());
    return kExitUsage;
  }
  const auto parsed = ParseCommandLine(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  // A replica logs into its run's folder; the file commands say on stderr which rows failed.
  if (!std::holds_alternative<ReplicaOptions>(std::get<Command>(parsed))) srlm::StartLogging("srlm-worker", "", {});
  const srlm::Status status = std::visit(
      Either{[](const GenerateOptions& options) { return Generate(options); },
             [](const JudgeOptions& options) { return options.pairwise ? JudgePairs(options) : Judge(options); },
             [](const LogprobsOptions& options) { return Logprobs(options); },
             [&](const ReplicaOptions& options) { return RunReplica(options, &argc, &argv); }},
      std::get<Command>(parsed));
  if (status.ok()) return kExitDone;
  std::fprintf(stderr, "srlm-worker: %s\n", status.message().c_str());
  return kExitFailed;
}
