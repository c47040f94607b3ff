// srlm: the coordinator of a run, and the commands that look at one.
#include <signal.h>

#include "common/base/failpoint.h"
#include "coordinator/cli/command_line.h"
#include "coordinator/cli/output.h"

namespace {

template <class... Cases>
struct Either : Cases... {
  using Cases::operator()...;
};

}  // namespace

int main(int argc, char** argv) {
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
                           [](const InspectOptions& options) { return Inspect(options); },
                           [](const ExportOptions& options) { return Export(options); }},
                    std::get<Command>(parsed));
}
