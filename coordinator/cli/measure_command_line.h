// The command lines of `srlm evaluate` and `srlm compare`.
#pragma once

#include <CLI/CLI.hpp>

#include "coordinator/cli/commands.h"

namespace srlm::cli {

CLI::App* AddEvaluate(CLI::App& app, EvaluateOptions& options);
CLI::App* AddCompare(CLI::App& app, CompareOptions& options);

}  // namespace srlm::cli
