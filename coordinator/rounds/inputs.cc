#include "coordinator/rounds/inputs.h"

#include <utility>

#include "common/base/hash.h"
#include "coordinator/rounds/text_checks.h"

namespace srlm::rounds {
namespace {

Status HashFiles(const config::RunConfig& config, Inputs& inputs) {
  const std::pair<const char*, const std::string*> files[] = {
      {"chat_template", &config.chat_template},
      {"data.ift", &config.data.ift},
      {"data.eft", &config.data.eft},
      {"data.prompts", &config.data.prompts},
      {"data.evaluation", &config.data.evaluation},
      {"data.evaluation_prompts", &config.data.evaluation_prompts},
      {"data.validation_prompts", &config.data.validation_prompts},
      {"data.held_out", &config.data.held_out}};
  for (const auto& [key, path] : files) {
    if (path->empty()) continue;
    SRLM_ASSIGN_OR_RETURN(inputs.hashes[key], Sha256File(*path));
  }
  if (!config.data.evaluation_prompts.empty() || !config.data.validation_prompts.empty())
    inputs.hashes["evaluation.pairwise_template"] = Sha256(inputs.pairwise_template.text());
  inputs.hashes["judge.template"] = Sha256(inputs.judge_template.text());  // also of the built-in one
  if (config.meta_judge.enabled) inputs.hashes["meta_judge.template"] = Sha256(inputs.meta_template.text());
  return OkStatus();
}

}  // namespace

Result<Inputs> ReadInputs(const config::RunConfig& config) {
  Inputs inputs;
  SRLM_ASSIGN_OR_RETURN(inputs.judge_template, data::JudgeTemplate::Load(config.judge.judge_template));
  SRLM_ASSIGN_OR_RETURN(inputs.meta_template, data::MetaTemplate::Load(config.meta_judge.meta_template));
  SRLM_ASSIGN_OR_RETURN(inputs.sft, data::LoadSft(config.data.ift, inputs.judge_template));
  for (const data::SftRow& row : inputs.sft) inputs.seeds.push_back(data::FirstInstruction(row.prompt));
  if (!config.data.eft.empty()) {
    SRLM_ASSIGN_OR_RETURN(const auto lessons, data::LoadEft(config.data.eft));
    for (const data::EftRow& row : lessons) inputs.sft.push_back(data::ToSftRow(row, inputs.judge_template));
  }
  if (!config.data.prompts.empty()) {
    SRLM_ASSIGN_OR_RETURN(inputs.given, data::LoadPrompts(config.data.prompts));
  }
  if (!config.data.evaluation.empty()) {
    SRLM_ASSIGN_OR_RETURN(inputs.ranked, data::LoadRankedAnswers(config.data.evaluation));
  }
  if (!config.data.evaluation_prompts.empty()) {
    SRLM_ASSIGN_OR_RETURN(inputs.evaluation_prompts, data::LoadPrompts(config.data.evaluation_prompts));
  }
  if (!config.data.validation_prompts.empty()) {
    SRLM_ASSIGN_OR_RETURN(inputs.validation_prompts, data::LoadPrompts(config.data.validation_prompts));
  }
  SRLM_ASSIGN_OR_RETURN(inputs.pairwise_template, data::PairwiseTemplate::Load(config.evaluation.pairwise_template));
  if (!config.data.held_out.empty()) {
    SRLM_ASSIGN_OR_RETURN(inputs.held_out, data::LoadHumanAnswers(config.data.held_out));
  }
  SRLM_RETURN_IF_ERROR(HashFiles(config, inputs));
  return inputs;
}

Status CheckInputTexts(const config::RunConfig& config, Inputs& inputs) {
  SRLM_RETURN_IF_ERROR(CheckTexts(config, inputs));
  inputs.checked = true;
  return OkStatus();
}

Result<Inputs> LoadInputs(const config::RunConfig& config) {
  SRLM_ASSIGN_OR_RETURN(Inputs inputs, ReadInputs(config));
  SRLM_RETURN_IF_ERROR(CheckInputTexts(config, inputs));
  return inputs;
}

}  // namespace srlm::rounds
