#include "coordinator/launcher/file_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <optional>

#include "coordinator/launcher/command.h"
#include "coordinator/launcher/environment.h"
#include "coordinator/launcher/log_tail.h"
#include "coordinator/launcher/process_group.h"

namespace srlm::launcher {
namespace {

constexpr double kLookSeconds = 0.1;  // between looks at `stopped`
constexpr size_t kTailLines = 6;      // of its words, in a failure's message

}  // namespace

Status CheckProgram(const std::string& program) {
  if (access(program.c_str(), X_OK) == 0) return OkStatus();
  return NotFound(program + ": not there; it lies beside srlm, build all programs with `make build`");
}

Status RunFileCommand(FileCommand command) {
  command.words.insert(command.words.end(), {"--ends-with", std::to_string(getpid())});
  Environment environment = CleanEnvironment();
  environment["OMP_WAIT_POLICY"] = "passive";
  if (command.ranks > 1) {
    SRLM_ASSIGN_OR_RETURN(
        command.words,
        ExpandCommand(kLaptopCommand, {.ranks = command.ranks, .program = command.words, .hostfile = ""}));
    for (const auto& [name, value] : LaptopEnvironment(geteuid() == 0)) environment[name] = value;
    environment["OMPI_MCA_orte_execute_quiet"] = "1";  // mpirun's own words about a rank's end would hide the rank's
  }
  SRLM_ASSIGN_OR_RETURN(
      ProcessGroup process,
      ProcessGroup::Start({.command = command.words, .environment = environment, .output = command.log}));
  const Deadline deadline = Deadline::AfterSeconds(command.timeout_s);
  std::optional<ExitState> exit;
  while (!(exit = process.Wait(Deadline::AfterSeconds(kLookSeconds)))) {
    if (command.stopped()) return Aborted("stopped");
    if (deadline.Expired())
      return DeadlineExceeded(fmt::format("srlm-worker has not ended in {} s", command.timeout_s));
  }
  if (exit->ok()) return OkStatus();
  return FailedPrecondition(fmt::format("srlm-worker failed, {}; its last words:\n{}", ExplainExit(*exit),
                                        fmt::join(LastLines(command.log, kTailLines), "\n")));
}

}  // namespace srlm::launcher
