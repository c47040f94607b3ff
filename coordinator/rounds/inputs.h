// The files that a run starts from, read and checked once.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/config/config.h"
#include "common/data/judge_template.h"
#include "common/data/meta_template.h"
#include "common/data/pairwise_template.h"
#include "common/data/records.h"

namespace srlm::rounds {

struct Inputs {
  data::JudgeTemplate judge_template = data::JudgeTemplate::BuiltIn();
  data::MetaTemplate meta_template = data::MetaTemplate::BuiltIn();
  std::vector<data::SftRow> sft;           // IFT rows, then EFT rows as lessons in judging
  std::vector<std::string> seeds;          // instructions of the IFT rows: examples for new prompts
  std::vector<data::Prompt> given;         // given prompts, in file order
  std::vector<data::RankedAnswer> ranked;  // human-ranked answers; may be empty
  std::vector<data::Prompt> evaluation_prompts;
  std::vector<data::Prompt> validation_prompts;
  std::vector<data::JudgeItem> held_out;  // people's answers
  data::PairwiseTemplate pairwise_template = data::PairwiseTemplate::BuiltIn();
  /// SHA-256 of the contents, by the configuration's key; keys without a file are absent.
  std::map<std::string, std::string> hashes;
  bool checked = false;  // by CheckInputTexts
};

/// Reads every data file that `config` names. Errors carry file and line.
Result<Inputs> ReadInputs(const config::RunConfig& config);

/// Checks that what the run will ask can be asked: the tokenizers and chat templates of M0, the fixed writer and the
/// fixed judge load, and every given prompt and every ranked answer becomes tokens. Errors carry the key and the row's
/// id. With hundreds of thousands of prompts this takes most of a minute: a run does it once.
Status CheckInputTexts(const config::RunConfig& config, Inputs& inputs);

/// Both.
Result<Inputs> LoadInputs(const config::RunConfig& config);

}  // namespace srlm::rounds
