// What `srlm prepare` did, in numbers.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "common/data/lesson_choice.h"
#include "common/data/source.h"
#include "coordinator/prepare/inputs.h"
#include "coordinator/prepare/options.h"

namespace srlm::prepare {

struct Report {
  std::vector<SourceCount> sources;
  int64_t evaluation_files_prompts = 0;  // prompts of --evaluation
  int64_t ift_rows = 0;
  int64_t eft_rows = 0;
  int64_t lesson_prompts = 0;  // ranked training prompts for EFT
  int64_t lesson_answers = 0;
  int64_t evaluation_prompts = 0;
  int64_t evaluation_answers = 0;
  std::string eft_model_id;               // of options.model; empty: none was given, and the next are as they are
  std::string eft_judge_template_sha256;  // empty: the built-in one
  std::string eft_chat_template_sha256;   // empty: the model's
  std::string eft_origin;                 // sampled, human
  int64_t probe_texts = 0;                // judgements that decided the origin
  int64_t probe_parsed = 0;
  int64_t eft_prompts = 0;
  std::string no_lesson;                 // why a model's lessons are none; empty: there are some
  std::string failed;                    // what is missing, or why the model wrote nothing; empty: all is there
  data::ScoreHistogram scores_before{};  // of the lessons or of ready-made rows, before and after balancing
  data::ScoreHistogram scores_after{};
  std::map<std::pair<std::string, std::string>, int64_t> rejects;  // stage and reason -> how many

  void CountRejects(const std::vector<data::Reject>& rejected);
};

/// The report with the options that it came of: what report.json holds.
nlohmann::ordered_json ToJson(const Report& report, const Options& options);

}  // namespace srlm::prepare
