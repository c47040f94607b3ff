#include "coordinator/prepare/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/base/file.h"
#include "common/data/jsonl.h"
#include "common/data/seed_split.h"
#include "common/text/language.h"
#include "coordinator/prepare/selection.h"

namespace srlm::prepare {
namespace {

using nlohmann::ordered_json;

Status WriteRows(const std::string& path, const std::vector<ordered_json>& rows) {
  SRLM_ASSIGN_OR_RETURN(auto writer, data::JsonlWriter::Create(path));
  for (const ordered_json& row : rows) SRLM_RETURN_IF_ERROR(writer.Write(row));
  return writer.Close();
}

std::vector<ordered_json> EvaluationRows(const std::vector<data::SourcePrompt>& prompts) {
  std::vector<ordered_json> rows;
  for (const data::SourcePrompt& prompt : prompts)
    for (const data::SourceAnswer& answer : prompt.answers)
      if (answer.quality)
        rows.push_back({{"prompt_id", prompt.prompt_id},
                        {"prompt_text", prompt.prompt},
                        {"response_id", answer.response_id},
                        {"response_text", answer.response},
                        {"quality_score", *answer.quality}});
  return rows;
}

std::vector<ordered_json> RejectRows(const std::vector<data::Reject>& rejects) {
  std::vector<ordered_json> rows;
  for (const data::Reject& reject : rejects)
    rows.push_back({{"stage", reject.stage},
                    {"reason", reject.reason},
                    {"prompt_id", reject.prompt_id},
                    {"response_id", reject.response_id},
                    {"detail", reject.detail}});
  return rows;
}

/// Ranked answers are what EFT and evaluation are made of: their lack is said at once, with the likely mistake.
Status CheckRanked(const Options& options, const Inputs& inputs) {
  if (inputs.prompts.empty() || options.eft_share == 0 || !options.eft.empty()) return OkStatus();
  if (std::ranges::any_of(inputs.prompts, data::IsRanked)) return OkStatus();
  const bool single =
      std::ranges::all_of(inputs.prompts, [](const auto& prompt) { return prompt.answers.size() == 1; });
  return FailedPrecondition(fmt::format(
      "no prompt has two answers that were ranked or scored differently ({}): judging cannot be taught or measured "
      "with them. Give data with several ranked answers a prompt, ready-made rows with --eft, or --eft-share 0 for IFT "
      "alone",
      single ? "each of the prompts has one answer" : "the answers have no scores, or equal ones"));
}

Status CheckResults(const Options& options, const Report& report) {
  const std::string where = "; reasons are in " + options.out + "/rejects.jsonl";
  if (report.ift_rows == 0)
    return FailedPrecondition("no row of IFT is left" + where + (options.eft_share == 1 ? " (--eft-share is 1)" : ""));
  const bool lessons = options.eft_share > 0 || !options.eft.empty();
  if (lessons && report.eft_rows == 0 && report.lesson_prompts == 0)
    return FailedPrecondition("no prompt is left for EFT" + where);
  if (lessons && !options.sources.empty() && report.evaluation_prompts == 0)
    return FailedPrecondition(
        fmt::format("no ranked prompt is in the evaluation part (first byte of SHA-256(prompt_id) not below {}){}",
                    data::kTrainingBytes, where));
  return OkStatus();
}

}  // namespace

Result<Report> Prepare(const Options& options) {
  if (options.sources.empty() && options.ift.empty())
    return InvalidArgument("nothing to read: name a file of ranked answers, or rows with --ift");
  SRLM_ASSIGN_OR_RETURN(Inputs inputs, ReadInputs(options));
  SRLM_RETURN_IF_ERROR(CheckRanked(options, inputs));
  SRLM_ASSIGN_OR_RETURN(const auto detector, text::LanguageDetector::Load());
  Report report;
  report.sources = inputs.sources;
  report.evaluation_files_prompts = static_cast<int64_t>(inputs.evaluation.size());
  SRLM_ASSIGN_OR_RETURN(const Selection selection, Select(options, std::move(inputs), [&](std::string_view text) {
                          return detector->Detect(text);
                        }));
  SRLM_RETURN_IF_ERROR(MakeFolders(options.out));
  const std::vector<ordered_json> evaluation = EvaluationRows(selection.evaluation);
  report.ift_rows = static_cast<int64_t>(selection.ift.size());
  report.eft_rows = static_cast<int64_t>(selection.eft.size());
  report.lesson_prompts = static_cast<int64_t>(selection.lessons.size());
  for (const data::SourcePrompt& prompt : selection.lessons)
    report.lesson_answers += static_cast<int64_t>(prompt.answers.size());
  report.evaluation_prompts = static_cast<int64_t>(selection.evaluation.size());
  report.evaluation_answers = static_cast<int64_t>(evaluation.size());
  report.CountRejects(selection.rejects);
  SRLM_RETURN_IF_ERROR(WriteRows(options.out + "/rejects.jsonl", RejectRows(selection.rejects)));
  SRLM_RETURN_IF_ERROR(WriteFileAtomic(options.out + "/report.json", ToJson(report, options).dump(2) + "\n"));
  SRLM_RETURN_IF_ERROR(CheckResults(options, report));
  SRLM_RETURN_IF_ERROR(WriteRows(options.out + "/ift.jsonl", selection.ift));
  if (!selection.eft.empty()) SRLM_RETURN_IF_ERROR(WriteRows(options.out + "/eft.jsonl", selection.eft));
  if (!evaluation.empty()) SRLM_RETURN_IF_ERROR(WriteRows(options.out + "/evaluation.jsonl", evaluation));
  return report;
}

}  // namespace srlm::prepare
