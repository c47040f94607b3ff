#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "coordinator/cli/commands.h"
#include "coordinator/cli/output.h"
#include "coordinator/fsck/fsck.h"

namespace srlm::cli {
namespace {

using Json = nlohmann::ordered_json;

Json AsJson(const fsck::Report& report) {
  Json json = {{"folder", report.folder}, {"state", report.state}, {"findings", report.found()}};
  json["checks"] = Json::array();
  for (const fsck::Check& check : report.checks())
    json["checks"].push_back({{"check", check.name},
                              {"counted", check.counted},
                              {"not_checked", check.not_checked},
                              {"findings", check.findings}});
  json["found"] = Json::array();
  for (const fsck::Finding& finding : report.findings())
    json["found"].push_back(
        {{"check", finding.check}, {"where", finding.where}, {"what", finding.what}, {"remedy", finding.remedy}});
  json["duplicates"] = report.duplicates.empty() ? 0 : std::strtoll(report.duplicates.c_str(), nullptr, 10);
  json["digest"] = report.digest.all.empty() ? Json() : Json(report.digest.all);
  json["digests"] = Json(report.digest.kinds);
  return json;
}

std::string AsText(const fsck::Report& report) {
  std::string text = fmt::format("{}: {}\n", report.folder, report.state);
  for (const fsck::Check& check : report.checks()) {
    const std::string verdict = check.findings > 0 ? fmt::format("{} bad", check.findings)
                                : check.counted.empty() && !check.not_checked.empty() ? "-"
                                                                                      : "ok";
    const std::string unchecked = check.not_checked.empty() ? "" : "not checked: " + check.not_checked;
    text += fmt::format("  {:<18}{:<12}{}\n", check.name, verdict, check.counted.empty() ? unchecked : check.counted);
    if (!check.counted.empty() && !unchecked.empty()) text += fmt::format("  {:<30}{}\n", "", unchecked);
  }
  for (const fsck::Finding& finding : report.findings())
    text += fmt::format("\n{}: {}\n  {}\n  to do: {}\n", finding.check, finding.where, finding.what, finding.remedy);
  const int64_t kept = static_cast<int64_t>(report.findings().size());
  if (report.found() > kept) text += fmt::format("\nand {} more\n", report.found() - kept);
  if (!report.digest.all.empty()) {
    text += fmt::format("\ndigest {}\n", report.digest.all);
    for (const auto& [kind, hash] : report.digest.kinds) text += fmt::format("  {:<18}{}\n", kind, hash.substr(0, 16));
  }
  if (!report.duplicates.empty())
    text += fmt::format("results that came twice and were dropped: {}\n", report.duplicates);
  const bool whole = std::ranges::all_of(report.checks(), [](const auto& check) { return check.not_checked.empty(); });
  text += report.found() > 0 ? fmt::format("\n{} findings\n", report.found())
          : whole            ? "\nall is as it must be\n"
                             : "\nwhat was checked is as it must be\n";
  return text;
}

}  // namespace

int Fsck(const FsckOptions& options) {
  const auto report = fsck::CheckRun(options.run_dir);
  if (!report.ok()) {
    Fail(report.status());
    return report.status().code() == Code::kNotFound ? kExitUsage : kExitFailed;
  }
  const Status printed = Print(
      options.json ? AsJson(*report).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n" : AsText(*report));
  if (!printed.ok()) return Finish(printed);
  return report->found() == 0 ? kExitDone : kExitFailed;
}

}  // namespace srlm::cli
