// The files that a run starts from, read and checked once.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/config/config.h"
#include "common/data/judge_template.h"
#include "common/data/records.h"

namespace srlm::rounds {

struct Inputs {
  data::JudgeTemplate judge_template = data::JudgeTemplate::BuiltIn();
  std::vector<data::SftRow> sft;           // IFT rows, then EFT rows as lessons in judging
  std::vector<std::string> seeds;          // instructions of the IFT rows: examples for new prompts
  std::vector<data::Prompt> given;         // given prompts, in file order
  std::vector<data::RankedAnswer> ranked;  // human-ranked answers; may be empty
};

/// Reads every data file that `config` names. Errors carry file and line.
Result<Inputs> LoadInputs(const config::RunConfig& config);

}  // namespace srlm::rounds
