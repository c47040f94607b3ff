// srlm: the coordinator of a run, and the commands that look at one.
#include <signal.h>

#include <cstdio>
#include <exception>

#include "common/base/failpoint.h"
#include "coordinator/cli/command_line.h"
#include "coordinator/cli/output.h"

namespace {

template <class... Cases>
struct Either : Cases... {
  using Cases::operator()...;
};

}  // namespace

int main(int argc, char** argv) try {
  using namespace srlm::cli;  // NOLINT(google-build-using-namespace)
  signal(SIGPIPE, SIG_IGN);   // `srlm inspect ... | head` ends quietly
  if (const srlm::Status armed = srlm::ArmFailpoints(); !armed.ok()) {
    Fail(armed);
    return kExitUsage;
  }
  const auto parsed = ParseCommandLine(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  return std::visit(Either{[](const RunOptions& options) { return Run(options); },
                           [](const StatusOptions& options) { return ShowStatus(options); },
                           [](const ControlOptions& options) { return Steer(options); },
                           [](const InspectOptions& options) { return Inspect(options); },
                           [](const FsckOptions& options) { return Fsck(options); },
                           [](const PlanOptions& options) { return Plan(options); },
                           [](const srlm::prepare::Options& options) { return Prepare(options); },
                           [](const EvaluateOptions& options) { return Evaluate(options); },
                           [](const CompareOptions& options) { return Compare(options); },
                           [](const AnswerOptions& options) { return AnswerBenchmark(options); },
                           [](const ExportOptions& options) { return Export(options); }},
                    std::get<Command>(parsed));
} catch (const std::exception& error) {  // of a library, where nobody expected one: memory, mostly
  std::fprintf(stderr, "srlm: ended by an error that it does not know: %s\n", error.what());
  return srlm::cli::kExitFailed;
}
