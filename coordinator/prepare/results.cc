#include "coordinator/prepare/results.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "common/base/file.h"
#include "common/data/jsonl.h"
#include "common/data/seed_split.h"

namespace srlm::prepare {
namespace {

using nlohmann::ordered_json;

std::vector<ordered_json> RejectRows(const std::vector<data::Reject>& rejects) {
  std::vector<ordered_json> rows;
  rows.reserve(rejects.size());
  for (const data::Reject& reject : rejects)
    rows.push_back({{"stage", reject.stage},
                    {"reason", reject.reason},
                    {"prompt_id", reject.prompt_id},
                    {"response_id", reject.response_id},
                    {"detail", reject.detail}});
  return rows;
}

int64_t CountRejects(const Report& report) {
  int64_t all = 0;
  for (const auto& [key, count] : report.rejects) all += count;
  return all;
}

/// Where a source's prompts are instead: ` (..., ...)`.
std::string Elsewhere(const Options& options, const Report& report, std::vector<std::string> places) {
  if (report.evaluation_prompts > 0)
    places.push_back(fmt::format("prompts for evaluation: {}", report.evaluation_prompts));
  if (const int64_t left = CountRejects(report); left > 0)
    places.push_back(fmt::format("left out: {}, with reasons in {}/rejects.jsonl", left, options.out));
  return places.empty() ? "" : fmt::format(" ({})", fmt::join(places, ", "));
}

std::string NoIft(const Options& options, const Report& report) {
  if (!options.ift.empty()) return "no row of --ift is left; reasons are in " + options.out + "/rejects.jsonl";
  std::vector<std::string> places;
  if (report.lesson_prompts > 0)
    places.push_back(fmt::format("prompts for EFT: {}, by --eft-share {}", report.lesson_prompts, options.eft_share));
  return "no row of IFT is left" + Elsewhere(options, report, std::move(places));
}

std::string NoEft(const Options& options, const Report& report) {
  if (!options.eft.empty()) return "no row of --eft is left; reasons are in " + options.out + "/rejects.jsonl";
  if (!report.no_lesson.empty()) return report.no_lesson;
  std::vector<std::string> places;
  if (options.ift.empty() && report.ift_rows > 0)
    places.push_back(fmt::format("prompts for IFT: {}, by --eft-share {}", report.ift_rows, options.eft_share));
  return "no prompt is left for EFT" + Elsewhere(options, report, std::move(places));
}

/// The files of rows that WriteResults writes, with their rows.
std::vector<std::pair<std::string, const std::vector<ordered_json>*>> Files(const Results& results) {
  return {{"ift.jsonl", &results.ift}, {"eft.jsonl", &results.eft}, {"evaluation.jsonl", &results.evaluation}};
}

/// Rows on the disk whose file takes its name when it is closed.
Result<data::JsonlWriter> Begin(const std::string& path, const std::vector<ordered_json>& rows) {
  SRLM_ASSIGN_OR_RETURN(auto writer, data::JsonlWriter::Create(path));
  for (const ordered_json& row : rows) SRLM_RETURN_IF_ERROR(writer.Write(row));
  SRLM_RETURN_IF_ERROR(writer.Sync());
  return writer;
}

}  // namespace

std::string WhatIsMissing(const Options& options, const Report& report, bool ranked) {
  const bool makes_eft = options.eft_share > 0 && !options.sources.empty();
  if (report.ift_rows == 0 && !(options.sources.empty() && options.ift.empty())) return NoIft(options, report);
  if (report.eft_rows == 0 && !options.eft.empty()) return NoEft(options, report);
  if (report.eft_rows == 0 && makes_eft && (report.lesson_prompts == 0 || !report.no_lesson.empty()))
    return NoEft(options, report);
  if (ranked && (makes_eft || !options.eft.empty()) && report.evaluation_prompts == 0)
    return fmt::format("no ranked prompt is in the evaluation part (first byte of SHA-256(prompt_id) not below {}){}",
                       data::kTrainingBytes, Elsewhere(options, report, {}));
  return "";
}

Status WriteResults(const Options& options, const Results& results) {
  SRLM_RETURN_IF_ERROR(MakeFolders(options.out));
  const std::string folder = options.out + "/";
  std::vector<data::JsonlWriter> writers;
  SRLM_ASSIGN_OR_RETURN(auto rejects, Begin(folder + "rejects.jsonl", RejectRows(results.rejects)));
  writers.push_back(std::move(rejects));
  for (const auto& [name, rows] : Files(results)) {
    if (rows->empty()) continue;
    SRLM_ASSIGN_OR_RETURN(auto writer, Begin(folder + name, *rows));
    writers.push_back(std::move(writer));
  }
  std::error_code error;
  std::filesystem::remove(folder + "report.json", error);  // it comes back when all that it counts is there
  for (const auto& [name, rows] : Files(results))
    if (rows->empty()) std::filesystem::remove(folder + name, error);
  for (data::JsonlWriter& writer : writers) SRLM_RETURN_IF_ERROR(writer.Close());
  const std::string text =  // a program's last words are in it, which may be any bytes
      ToJson(results.report, options).dump(2, ' ', false, ordered_json::error_handler_t::replace);
  return WriteFileAtomic(folder + "report.json", text + "\n");
}

std::string WithFiles(const std::string& failed, const Options& options, const Results& results) {
  std::vector<std::string> names;
  for (const auto& [name, rows] : Files(results))
    if (!rows->empty()) names.push_back(name);
  names.emplace_back("rejects.jsonl");
  return fmt::format("{}\n{} has {} and report.json of this command", failed, options.out, fmt::join(names, ", "));
}

}  // namespace srlm::prepare
