// Steps of Slurm jobs, and whose they are.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"

namespace srlm::launcher {

/// The name of a launch's step, `<launch>@<run>`, from what its kLaunchVariable (session.h) says, `<run>/<launch>`:
/// what people look for comes first, squeue cuts the rest.
std::string StepName(const std::string& launch);

struct SlurmStep {
  std::string id;    // "12.3"
  std::string name;  // StepName
};

/// This user's steps that are a run's, in any job; none when there is no squeue on this host. Unavailable when Slurm
/// does not answer. Waits at most 20 s.
Result<std::vector<SlurmStep>> StepsOfRun(const std::string& run_id);

/// Those of a run in `squeue --steps --format="%i %j"`.
std::vector<SlurmStep> ParseSteps(const std::string& text, const std::string& run_id);

}  // namespace srlm::launcher
