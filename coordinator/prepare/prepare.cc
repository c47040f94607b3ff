#include "coordinator/prepare/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/data/jsonl.h"
#include "common/data/seed_split.h"
#include "common/text/language.h"
#include "coordinator/prepare/lessons.h"
#include "coordinator/prepare/selection.h"
#include "coordinator/prepare/worker_files.h"

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
  if (!report.no_lesson.empty()) return FailedPrecondition(report.no_lesson + where);
  const bool lessons = options.eft_share > 0 || !options.eft.empty();
  if (lessons && report.eft_rows == 0 && report.lesson_prompts == 0)
    return FailedPrecondition("no prompt is left for EFT" + where);
  if (lessons && !options.sources.empty() && report.evaluation_prompts == 0)
    return FailedPrecondition(
        fmt::format("no ranked prompt is in the evaluation part (first byte of SHA-256(prompt_id) not below {}){}",
                    data::kTrainingBytes, where));
  return OkStatus();
}

/// Lessons of a model that options name, into selection and report.
Status AddLessons(const Options& options, const Surroundings& surroundings, const LanguageOf& language_of,
                  Selection& selection, Report& report) {
  SRLM_ASSIGN_OR_RETURN(const auto judge_template, data::JudgeTemplate::Load(options.judge_template));
  WorkerSettings settings;
  settings.program = surroundings.worker;
  settings.model = options.model;
  settings.chat_template = options.chat_template;
  settings.folder = options.out + "/work";
  settings.threads = options.threads;
  settings.max_batch = options.max_batch;
  settings.temperature = options.temperature;
  settings.top_p = options.top_p;
  settings.max_new_tokens = options.max_new_tokens;
  settings.seed = options.seed;
  settings.stopped = surroundings.stopped;
  settings.say = surroundings.say;
  SRLM_ASSIGN_OR_RETURN(const auto worker, WorkerFiles::Open(std::move(settings)));
  SRLM_ASSIGN_OR_RETURN(
      Lessons lessons, MakeLessons(selection.lessons, judge_template, options, *worker, language_of, surroundings.say));
  report.eft_model_id = worker->model_id();
  report.eft_chat_template_sha256 = worker->chat_template_sha256();
  if (!options.judge_template.empty()) {
    SRLM_ASSIGN_OR_RETURN(report.eft_judge_template_sha256, Sha256File(options.judge_template));
  }
  report.eft_origin = lessons.origin;
  report.probe_texts = lessons.probe_texts;
  report.probe_parsed = lessons.probe_parsed;
  report.eft_prompts = lessons.prompts;
  report.scores_before = lessons.before;
  report.scores_after = lessons.after;
  std::ranges::move(lessons.rejects, std::back_inserter(selection.rejects));
  if (lessons.rows.empty()) report.no_lesson = WhyNoLesson(lessons);
  selection.eft = std::move(lessons.rows);
  return OkStatus();
}

void Count(const Selection& selection, int64_t evaluation_rows, Report& report) {
  report.ift_rows = static_cast<int64_t>(selection.ift.size());
  report.eft_rows = static_cast<int64_t>(selection.eft.size());
  report.lesson_prompts = static_cast<int64_t>(selection.lessons.size());
  for (const data::SourcePrompt& prompt : selection.lessons)
    report.lesson_answers += static_cast<int64_t>(prompt.answers.size());
  report.evaluation_prompts = static_cast<int64_t>(selection.evaluation.size());
  report.evaluation_answers = evaluation_rows;
  report.CountRejects(selection.rejects);
}

/// The reasons first: they are wanted when the rest fails. A result that is not made now does not stay from before.
Status WriteAll(const Options& options, const Selection& selection, const std::vector<ordered_json>& evaluation,
                const Report& report) {
  SRLM_RETURN_IF_ERROR(WriteRows(options.out + "/rejects.jsonl", RejectRows(selection.rejects)));
  SRLM_RETURN_IF_ERROR(WriteFileAtomic(options.out + "/report.json", ToJson(report, options).dump(2) + "\n"));
  SRLM_RETURN_IF_ERROR(CheckResults(options, report));
  const std::pair<const char*, const std::vector<ordered_json>*> files[] = {
      {"/ift.jsonl", &selection.ift}, {"/eft.jsonl", &selection.eft}, {"/evaluation.jsonl", &evaluation}};
  for (const auto& [name, rows] : files) {
    std::error_code error;
    if (rows->empty()) {
      std::filesystem::remove(options.out + name, error);
    } else {
      SRLM_RETURN_IF_ERROR(WriteRows(options.out + name, *rows));
    }
  }
  return OkStatus();
}

}  // namespace

Result<Report> Prepare(const Options& options, const Surroundings& surroundings) {
  if (options.sources.empty() && options.ift.empty())
    return InvalidArgument("nothing to read: name a file of ranked answers, or rows with --ift");
  SRLM_ASSIGN_OR_RETURN(Inputs inputs, ReadInputs(options));
  SRLM_RETURN_IF_ERROR(CheckRanked(options, inputs));
  SRLM_ASSIGN_OR_RETURN(const auto detector, text::LanguageDetector::Load());
  Report report;
  report.sources = inputs.sources;
  report.evaluation_files_prompts = inputs.evaluation_prompts;
  const LanguageOf language_of = [&](std::string_view text) { return detector->Detect(text); };
  SRLM_ASSIGN_OR_RETURN(Selection selection, Select(options, std::move(inputs), language_of));
  SRLM_RETURN_IF_ERROR(MakeFolders(options.out));
  if (!options.model.empty() && !selection.lessons.empty())
    SRLM_RETURN_IF_ERROR(AddLessons(options, surroundings, language_of, selection, report));
  const std::vector<ordered_json> evaluation = EvaluationRows(selection.evaluation);
  Count(selection, static_cast<int64_t>(evaluation.size()), report);
  SRLM_RETURN_IF_ERROR(WriteAll(options, selection, evaluation, report));
  return report;
}

}  // namespace srlm::prepare
