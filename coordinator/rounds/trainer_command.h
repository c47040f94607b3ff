// How a training job's ranks are started: srlm-trainer's arguments.
#pragma once

#include <string>
#include <vector>

#include "coordinator/launcher/launcher.h"
#include "coordinator/rounds/context.h"
#include "coordinator/rounds/job_files.h"

namespace srlm::rounds {

/// The arguments that say what a step computes. With model, data and ranks they are what makes two jobs the same: their
/// checkpoints and models are one another's.
std::vector<std::string> MethodArguments(const Context& context, const TrainingJob& job);

/// The whole command.
launcher::LaunchSpec TrainerSpec(const Context& context, const TrainingJob& job, const std::string& program_folder,
                                 const std::string& launch_id);

}  // namespace srlm::rounds
