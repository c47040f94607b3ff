#include "common/config/config.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "common/base/file.h"
#include "common/config/reader.h"
#include "common/config/rules.h"

namespace srlm::config {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;
constexpr size_t kMaxProblemsShown = 5;

/// Takes a document's events and keeps none.
class NoEvents : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

/// Whether anything follows the first document. Not YAML::LoadAll: yaml-cpp 0.7 never returns from it when the text
/// begins with a stray `,` or `]`, since it takes such a document for an empty one and stays where it is.
bool HasSecondDocument(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  NoEvents events;
  return parser.HandleNextDocument(events) && parser.HandleNextDocument(events);
}

/// One YAML document; null when the text is empty.
Result<YAML::Node> ParseYaml(const std::string& text, const std::string& origin, bool has_lines) {
  try {
    if (HasSecondDocument(text))
      return InvalidArgument(origin + ": wanted `key: value` lines of one YAML document, found something after it");
    return YAML::Load(text);
  } catch (const YAML::Exception& error) {
    const std::string place = has_lines ? fmt::format("{}:{}", origin, error.mark.line + 1) : origin;
    return InvalidArgument(fmt::format("{}: not valid YAML: {}", place, error.msg));
  }
}

Status Read(const YAML::Node& node, Reading& reading, RunConfig& config) {
  if (!node.IsMap() && !node.IsNull())
    return InvalidArgument(fmt::format("{}: wanted `key: value` lines, found {}", reading.origin, Describe(node)));
  try {
    Reader reader(node, "", reading);
    VisitFields(reader, config);
    reader.ReportUnknown();
  } catch (const YAML::Exception& error) {
    return InvalidArgument(fmt::format("{}: cannot be read: {}", reading.Place(error.mark), error.msg));
  }
  return OkStatus();
}

constexpr int kMostDots = 8;  // in a key: each is a level of a document that is copied

/// `a.b=value` as the document {a: {b: value}}.
Result<YAML::Node> OverrideNode(const std::string& text) {
  const std::string origin = "--set " + text;
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return InvalidArgument(fmt::format("--set '{}': wanted key=value, for example generation.samples=4", text));
  std::string key = text.substr(0, equals);
  if (std::ranges::count(key, '.') > kMostDots)
    return InvalidArgument(fmt::format("--set {}: no such key; one is a name or section.name", key.substr(0, 100)));
  SRLM_ASSIGN_OR_RETURN(YAML::Node node, ParseYaml(text.substr(equals + 1), origin, false));
  while (true) {
    const size_t dot = key.rfind('.');
    YAML::Node outer(YAML::NodeType::Map);
    outer[dot == std::string::npos ? key : key.substr(dot + 1)] = node;
    if (dot == std::string::npos) return outer;
    node = YAML::Clone(outer);
    key = key.substr(0, dot);
  }
}

Status ApplyOverride(const std::string& text, Reading& reading, RunConfig& config) {
  const Result<YAML::Node> node = OverrideNode(text);
  if (!node.ok()) return node.status();
  reading.origin = "--set " + text;
  reading.has_lines = false;
  return Read(*node, reading, config);
}

Status FirstProblems(const std::vector<std::string>& problems) {
  if (problems.empty()) return OkStatus();
  const size_t shown = std::min(problems.size(), kMaxProblemsShown);
  std::string lines = fmt::format("{}", fmt::join(problems.begin(), problems.begin() + shown, "\n"));
  if (problems.size() > shown) lines += fmt::format("\nand {} more", problems.size() - shown);
  return InvalidArgument(lines);
}

}  // namespace

Result<RunConfig> Parse(const std::string& yaml, const std::string& origin, const std::string& folder,
                        const std::vector<std::string>& overrides) {
  SRLM_ASSIGN_OR_RETURN(const YAML::Node node, ParseYaml(yaml, origin, true));
  RunConfig config;
  Reading reading{.origin = origin, .has_lines = true, .folder = folder, .problems = {}, .places = {}};
  SRLM_RETURN_IF_ERROR(Read(node, reading, config));
  for (const std::string& text : overrides) SRLM_RETURN_IF_ERROR(ApplyOverride(text, reading, config));
  SRLM_RETURN_IF_ERROR(FirstProblems(reading.problems));
  for (const BrokenRule& rule : CheckRules(config)) {
    const auto place = reading.places.find(rule.key);
    reading.problems.push_back(
        fmt::format("{}: {}: {}", place == reading.places.end() ? origin : place->second, rule.key, rule.message));
  }
  SRLM_RETURN_IF_ERROR(FirstProblems(reading.problems));
  return config;
}

Result<RunConfig> Load(const std::string& path, const std::vector<std::string>& overrides) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    return InvalidArgument(path + ": is a folder; name a configuration file (YAML)");
  if (std::filesystem::file_size(path, error) > kMaxFileBytes && !error)
    return InvalidArgument(fmt::format("{}: larger than {} bytes, not a configuration", path, kMaxFileBytes));
  SRLM_ASSIGN_OR_RETURN(const std::string yaml, ReadFile(path));
  return Parse(yaml, path, std::filesystem::path(path).parent_path().string(), overrides);
}

}  // namespace srlm::config
