#include "coordinator/launcher/slurm_steps.h"

#include <sstream>

#include "common/base/command.h"

namespace srlm::launcher {
namespace {

constexpr double kAnswerSeconds = 20;

}  // namespace

std::string StepName(const std::string& launch) {
  const size_t slash = launch.find('/');
  if (slash == std::string::npos) return launch;
  return launch.substr(slash + 1) + "@" + launch.substr(0, slash);
}

Result<std::vector<SlurmStep>> StepsOfRun(const std::string& run_id) {
  const auto answer =
      RunCommand({"squeue", "--me", "--noheader", "--steps", "--format=%i %j"}, Deadline::AfterSeconds(kAnswerSeconds));
  if (answer.status().code() == Code::kNotFound) return std::vector<SlurmStep>();
  SRLM_RETURN_IF_ERROR(answer.status());
  if (answer->exit_code != 0) return Unavailable("squeue: " + answer->output.substr(0, answer->output.find('\n')));
  return ParseSteps(answer->output, run_id);
}

std::vector<SlurmStep> ParseSteps(const std::string& text, const std::string& run_id) {
  std::istringstream lines(text);
  std::vector<SlurmStep> steps;
  for (SlurmStep step; lines >> step.id && std::getline(lines >> std::ws, step.name);)
    if (step.name.ends_with("@" + run_id)) steps.push_back(step);
  return steps;
}

}  // namespace srlm::launcher
