#include "coordinator/rounds/inputs.h"

#include <iterator>

namespace srlm::rounds {
namespace {

// What the row's user asked first; a raw row's text.
std::string FirstInstruction(const data::PromptInput& input) {
  for (const Message& message : input.messages)
    if (message.role == "user") return message.content;
  return data::PlainText(input);
}

}  // namespace

Result<Inputs> LoadInputs(const config::RunConfig& config) {
  Inputs inputs;
  SRLM_ASSIGN_OR_RETURN(inputs.judge_template, data::JudgeTemplate::Load(config.judge.judge_template));
  SRLM_ASSIGN_OR_RETURN(inputs.sft, data::LoadSft(config.data.ift, inputs.judge_template));
  for (const data::SftRow& row : inputs.sft) inputs.seeds.push_back(FirstInstruction(row.prompt));
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
  return inputs;
}

}  // namespace srlm::rounds
