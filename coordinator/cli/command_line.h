// The command line of srlm: what is asked, and what is asked wrongly.
#pragma once

#include <optional>
#include <variant>

#include "coordinator/cli/answer_options.h"
#include "coordinator/cli/commands.h"

namespace srlm::cli {

using Command = std::variant<RunOptions, StatusOptions, ControlOptions, InspectOptions, ExportOptions, FsckOptions,
                             PlanOptions, prepare::Options, EvaluateOptions, CompareOptions, AnswerOptions>;

/// A command, or the exit code of a command line that ends here: 0 after --help and --version, 2 after printing to
/// stderr what is wrong.
std::variant<Command, int> ParseCommandLine(int argc, const char* const* argv);

}  // namespace srlm::cli
