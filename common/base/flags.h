// Checks of command-line values that CLI11 lacks.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>

#include "common/base/failpoint.h"

namespace srlm {

/// Like CLI::Range, which lets "nan" pass.
inline CLI::Validator Between(double low, double high) {
  const auto check = [low, high](const std::string& text) {
    double value = 0;
    if (CLI::detail::lexical_cast(text, value) && value >= low && value <= high) return std::string();
    return fmt::format("'{}' is not a number from {} to {}", text, low, high);
  };
  return CLI::Validator(check, fmt::format("FLOAT in [{} - {}]", low, high), "BETWEEN");
}

/// A whole number that is not negative: CLI11 reads "-1" as the largest one.
inline CLI::Validator Whole() {
  const auto check = [](const std::string& text) {
    if (text.find_first_not_of("0123456789") == std::string::npos) return std::string();
    return fmt::format("'{}' is not a whole number from 0 up", text);
  };
  return CLI::Validator(check, "", "WHOLE");
}

/// --list-failpoints, which prints them and ends the program.
inline void AddFailpointList(CLI::App& app, FailpointProgram program) {
  app.add_flag_callback(
      "--list-failpoints",
      [program] {
        std::string text = ListFailpoints(program);
        text.pop_back();  // CLI11 ends the line
        throw CLI::CallForVersion(text, 0);
      },
      "Print where SRLM_FAILPOINT can make this program abort (for tests)");
}

}  // namespace srlm
