#include "coordinator/prepare/report.h"

#include <nlohmann/json.hpp>

#include "common/data/overlap.h"
#include "common/data/seed_split.h"

namespace srlm::prepare {

using nlohmann::ordered_json;

namespace {

/// Null when no model was asked and no rows were given.
ordered_json EftToJson(const Report& report, const Options& options) {
  if (!options.eft.empty())
    return {{"origin", "given"}, {"scores_before_balance", report.scores_before}, {"scores", report.scores_after}};
  if (report.eft_model_id.empty()) return nullptr;
  return {{"model", options.model},
          {"model_id", report.eft_model_id},
          {"judge_template", options.judge_template},
          {"judge_template_sha256", report.eft_judge_template_sha256},
          {"chat_template", options.chat_template},
          {"chat_template_sha256", report.eft_chat_template_sha256},
          {"origin", report.eft_origin},
          {"probe_judgements", report.probe_texts},
          {"probe_parsed", report.probe_parsed},
          {"tries", options.tries},
          {"temperature", options.temperature},
          {"top_p", options.top_p},
          {"max_new_tokens", options.max_new_tokens},
          {"prompts", report.eft_prompts},
          {"scores_before_balance", report.scores_before},
          {"scores", report.scores_after}};
}

}  // namespace

void Report::CountRejects(const std::vector<data::Reject>& rejected) {
  rejects.clear();
  for (const data::Reject& reject : rejected) ++rejects[{reject.stage, reject.reason}];
}

ordered_json ToJson(const Report& report, const Options& options) {
  ordered_json sources = ordered_json::array();
  for (const SourceCount& source : report.sources)
    sources.push_back({{"path", source.path},
                       {"format", source.format},
                       {"rows", source.rows},
                       {"prompts", source.prompts},
                       {"answers", source.answers}});
  ordered_json rejects = ordered_json::array();
  for (const auto& [key, count] : report.rejects)
    rejects.push_back({{"stage", key.first}, {"reason", key.second}, {"count", count}});
  return {{"seed", options.seed},
          {"eft_share", options.eft_share},
          {"max_eft_prompts", options.max_eft_prompts},
          {"words_in_a_row", data::OverlapIndex::kWordsInARow},
          {"language", options.any_language ? "any" : "en"},
          {"training_bytes", data::kTrainingBytes},
          {"sources", sources},
          {"ift_file", options.ift},
          {"eft_file", options.eft},
          {"keep_given", options.keep_given},
          {"evaluation_files", options.evaluation},
          {"evaluation_files_prompts", report.evaluation_files_prompts},
          {"ift_rows", report.ift_rows},
          {"eft_rows", report.eft_rows},
          {"lesson_prompts", report.lesson_prompts},
          {"lesson_answers", report.lesson_answers},
          {"evaluation_prompts", report.evaluation_prompts},
          {"evaluation_answers", report.evaluation_answers},
          {"eft", EftToJson(report, options)},
          {"rejects", rejects},
          {"failed", report.failed.empty() ? ordered_json() : ordered_json(report.failed)}};
}

}  // namespace srlm::prepare
