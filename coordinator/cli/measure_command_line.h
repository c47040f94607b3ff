// The command lines of `srlm evaluate`, `srlm compare` and `srlm answer`.
#pragma once

#include <CLI/CLI.hpp>

#include "coordinator/cli/answer_options.h"
#include "coordinator/cli/commands.h"

namespace srlm::cli {

CLI::App* AddEvaluate(CLI::App& app, EvaluateOptions& options);
CLI::App* AddCompare(CLI::App& app, CompareOptions& options);
CLI::App* AddAnswer(CLI::App& app, AnswerOptions& options);

}  // namespace srlm::cli
