#include "coordinator/prepare/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/base/hash.h"
#include "common/data/seed_split.h"
#include "common/text/language.h"
#include "coordinator/prepare/lessons.h"
#include "coordinator/prepare/results.h"
#include "coordinator/prepare/selection.h"
#include "coordinator/prepare/worker_files.h"

namespace srlm::prepare {
namespace {

using nlohmann::ordered_json;

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

/// Whether a prompt can teach or measure judging: rows of EFT and evaluation have no place for a system message.
bool CanBeJudged(const data::SourcePrompt& prompt) { return data::IsRanked(prompt) && prompt.system.empty(); }

/// Ranked answers are what EFT and evaluation are made of: their lack is said at once, with the likely mistake.
Status CheckRanked(const Options& options, const Inputs& inputs) {
  if (inputs.prompts.empty() || options.eft_share == 0 || !options.eft.empty()) return OkStatus();
  if (std::ranges::any_of(inputs.prompts, CanBeJudged)) return OkStatus();
  const char* why = "the answers have no scores, or equal ones";
  if (std::ranges::all_of(inputs.prompts, [](const auto& prompt) { return prompt.answers.size() == 1; }))
    why = "each of the prompts has one answer";
  if (std::ranges::any_of(inputs.prompts, data::IsRanked))
    why = "all that have such begin with a system message, which rows of EFT and evaluation have no place for";
  return FailedPrecondition(fmt::format(
      "no prompt has two answers that were ranked or scored differently ({}): judging cannot be taught or measured "
      "with them. Give data with several ranked answers a prompt, ready-made rows with --eft, or --eft-share 0 for IFT "
      "alone",
      why));
}

Result<std::unique_ptr<WorkerFiles>> OpenWorker(const Options& options, const Surroundings& surroundings) {
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
  return WorkerFiles::Open(std::move(settings));
}

/// Lessons that a model writes, into the results.
Status AddLessons(const Options& options, const Surroundings& surroundings, const LanguageOf& language_of,
                  const std::vector<data::SourcePrompt>& prompts, Results& results) {
  SRLM_ASSIGN_OR_RETURN(const auto judge_template, data::JudgeTemplate::Load(options.judge_template));
  SRLM_ASSIGN_OR_RETURN(const auto worker, OpenWorker(options, surroundings));
  Report& report = results.report;
  report.eft_model_id = worker->model_id();
  report.eft_chat_template_sha256 = worker->chat_template_sha256();
  if (!options.judge_template.empty()) {
    SRLM_ASSIGN_OR_RETURN(report.eft_judge_template_sha256, Sha256File(options.judge_template));
  }
  auto made = MakeLessons(prompts, judge_template, options, *worker, language_of, surroundings.say);
  if (made.status().code() == Code::kAborted) return made.status();
  if (!made.ok()) {
    report.failed = made.status().message();
    return OkStatus();
  }
  Lessons& lessons = *made;
  report.eft_origin = lessons.origin;
  report.probe_texts = lessons.probe_texts;
  report.probe_parsed = lessons.probe_parsed;
  report.eft_prompts = lessons.prompts;
  report.scores_before = lessons.before;
  report.scores_after = lessons.after;
  std::ranges::move(lessons.rejects, std::back_inserter(results.rejects));
  if (lessons.rows.empty()) report.no_lesson = WhyNoLesson(lessons);
  results.eft = std::move(lessons.rows);
  return OkStatus();
}

void Count(const Selection& selection, const Results& results, Report& report) {
  report.ift_rows = static_cast<int64_t>(results.ift.size());
  report.eft_rows = static_cast<int64_t>(results.eft.size());
  report.lesson_prompts = static_cast<int64_t>(selection.lessons.size());
  for (const data::SourcePrompt& prompt : selection.lessons)
    report.lesson_answers += static_cast<int64_t>(prompt.answers.size());
  report.evaluation_prompts = static_cast<int64_t>(selection.evaluation.size());
  report.evaluation_answers = static_cast<int64_t>(results.evaluation.size());
  report.CountRejects(results.rejects);
}

}  // namespace

Result<Report> Prepare(const Options& options, const Surroundings& surroundings) {
  if (options.sources.empty() && options.ift.empty() && options.eft.empty())
    return InvalidArgument("nothing to read: name a file of ranked answers, or ready-made rows with --ift or --eft");
  SRLM_ASSIGN_OR_RETURN(Inputs inputs, ReadInputs(options));
  SRLM_RETURN_IF_ERROR(CheckRanked(options, inputs));
  const bool ranked = std::ranges::any_of(inputs.prompts, CanBeJudged);
  SRLM_ASSIGN_OR_RETURN(const auto detector, text::LanguageDetector::Load());
  Results results;
  Report& report = results.report;
  report.sources = inputs.sources;
  report.evaluation_files_prompts = inputs.evaluation_prompts;
  const LanguageOf language_of = [&](std::string_view text) { return detector->Detect(text); };
  SRLM_ASSIGN_OR_RETURN(Selection selection, Select(options, std::move(inputs), language_of));
  results.ift = std::move(selection.ift);
  results.eft = std::move(selection.eft);
  results.evaluation = EvaluationRows(selection.evaluation);
  results.rejects = std::move(selection.rejects);
  report.scores_before = selection.scores_before;
  report.scores_after = selection.scores_after;
  if (!options.model.empty() && !selection.lessons.empty())
    SRLM_RETURN_IF_ERROR(AddLessons(options, surroundings, language_of, selection.lessons, results));
  Count(selection, results, report);
  if (report.failed.empty()) report.failed = WhatIsMissing(options, report, ranked);
  SRLM_RETURN_IF_ERROR(WriteResults(options, results));
  if (!report.failed.empty()) return FailedPrecondition(WithFiles(report.failed, options, results));
  return report;
}

}  // namespace srlm::prepare
