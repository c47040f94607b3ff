// Whether the files and folders that a configuration names are there.
#include <fmt/format.h>

#include <filesystem>
#include <vector>

#include "common/base/spawn.h"
#include "common/config/fields.h"

namespace srlm::config {
namespace {

namespace fs = std::filesystem;

struct InputChecker {
  std::string prefix;
  std::vector<std::string>& missing;

  template <class S>
  void Section(std::string_view key, S& section, std::string_view) {
    InputChecker inner{std::string(key) + ".", missing};
    VisitFields(inner, section);
  }
  template <class T>
  void Field(T&, const FieldInfo&) {}

  void Field(std::string& value, const FieldInfo& info) {
    if (info.text == TextKind::kText || value.empty()) return;
    const bool word = info.text != TextKind::kPath && (value == "policy" || value == "base");
    if (word) return;
    const std::string key = prefix + std::string(info.key);
    const bool is_model = info.text != TextKind::kPath || key == "model";
    std::error_code error;
    if (!fs::exists(value, error)) {
      missing.push_back(fmt::format("{}: {} is not there", key, value));
    } else if (is_model && !fs::exists(fs::path(value) / "config.json", error)) {
      missing.push_back(fmt::format("{}: {} is not a model folder, it has no config.json", key, value));
    } else if (!is_model && fs::is_directory(value, error)) {
      missing.push_back(fmt::format("{}: {} is a folder, wanted a file", key, value));
    }
  }
};

}  // namespace

Status CheckInputs(const RunConfig& config) {
  RunConfig copy = config;
  std::vector<std::string> missing;
  InputChecker checker{"", missing};
  VisitFields(checker, copy);
  if (config.judge.verdict == JudgeVerdict::kProgram && !CanRun(config.judge.program.at(0)))
    missing.push_back(
        fmt::format("judge.program: {} is not a program: {}", config.judge.program[0],
                    config.judge.program[0].find('/') == std::string::npos
                        ? "it is not in PATH; install it, or write a path (./NAME is beside the configuration)"
                        : "it is not there or not executable"));
  return missing.empty() ? OkStatus() : NotFound(fmt::format("{}", fmt::join(missing, "\n")));
}

}  // namespace srlm::config
