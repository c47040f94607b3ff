// The files that `srlm prepare` reads, each checked to its last row.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/data/overlap.h"
#include "coordinator/prepare/options.h"

namespace srlm::prepare {

/// A row that somebody else made.
struct ReadyRow {
  nlohmann::json row;
  std::string prompt;  // what the user asked first
  std::string where;   // file:line
  std::string answer;  // of IFT to the prompt, of EFT the judged one
  // Of IFT: what else the user asked, and whether `answer` is to the first.
  std::vector<std::string> later_prompts = {};
  bool first_turn = true;
  // Of EFT.
  std::string justification = "";
  int score = 0;
};

struct SourceCount {
  std::string path;
  std::string format;
  int64_t rows = 0;
  int64_t prompts = 0;
  int64_t answers = 0;
};

struct Inputs {
  std::vector<SourceCount> sources;
  std::vector<data::SourcePrompt> prompts;  // of all sources, in their order
  std::vector<data::Reject> rejects;        // stages source and prompt
  std::vector<ReadyRow> ift;
  std::vector<ReadyRow> eft;
  data::OverlapIndex evaluation;   // prompts of the evaluation files
  int64_t evaluation_prompts = 0;  // their number
};

/// NotFound or `file:line: ...` as the loaders of common/data say it.
Result<Inputs> ReadInputs(const Options& options);

}  // namespace srlm::prepare
