// What `srlm prepare` did, in numbers.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

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
  std::map<std::pair<std::string, std::string>, int64_t> rejects;  // stage and reason -> how many

  void CountRejects(const std::vector<data::Reject>& rejected);
};

/// The report with the options that it came of: what report.json holds.
nlohmann::ordered_json ToJson(const Report& report, const Options& options);

}  // namespace srlm::prepare
