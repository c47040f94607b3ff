#include "coordinator/prepare/report.h"

#include <nlohmann/json.hpp>

#include "common/data/seed_split.h"

namespace srlm::prepare {

using nlohmann::ordered_json;

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
          {"ngram", options.ngram},
          {"language", options.any_language ? "any" : "en"},
          {"training_bytes", data::kTrainingBytes},
          {"sources", sources},
          {"ift_file", options.ift},
          {"eft_file", options.eft},
          {"evaluation_files", options.evaluation},
          {"evaluation_files_prompts", report.evaluation_files_prompts},
          {"ift_rows", report.ift_rows},
          {"eft_rows", report.eft_rows},
          {"lesson_prompts", report.lesson_prompts},
          {"lesson_answers", report.lesson_answers},
          {"evaluation_prompts", report.evaluation_prompts},
          {"evaluation_answers", report.evaluation_answers},
          {"rejects", rejects}};
}

}  // namespace srlm::prepare
