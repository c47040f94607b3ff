#include "coordinator/rounds/text_checks.h"

#include <fmt/format.h>

#include <charconv>

#include "common/data/judge_template.h"
#include "common/model/model_config.h"
#include "common/model/shard.h"
#include "coordinator/rounds/chats.h"

namespace srlm::rounds {
namespace {

/// Whether an id looks like one that the run gives to a prompt of its own: new-<round>-<attempt>.
bool IsNewPromptId(const std::string& id) {
  int round = 0, attempt = 0;
  const char* const end = id.data() + id.size();
  if (!id.starts_with("new-")) return false;
  const auto [dash, error] = std::from_chars(id.data() + 4, end, round);
  if (error != std::errc() || dash == end || *dash != '-') return false;
  const auto [last, last_error] = std::from_chars(dash + 1, end, attempt);
  return last_error == std::errc() && last == end;
}

Status CheckGiven(const config::RunConfig& config, const Inputs& inputs, const text::Chat& policy) {
  for (const data::Prompt& prompt : inputs.given) {
    const std::string place = fmt::format("{}: prompt \"{}\"", config.data.prompts, prompt.prompt_id);
    if (IsNewPromptId(prompt.prompt_id))
      return InvalidArgument(place + ": ids of the form new-1-2 are those of new prompts; rename it");
    SRLM_RETURN_IF_ERROR(PromptTokens(policy, prompt.input).status().WithContext(place));
  }
  return OkStatus();
}

Status CheckJudge(const Inputs& inputs, const text::Chat& judge, bool expected) {
  if (expected) SRLM_RETURN_IF_ERROR(ScoreChoices(judge).status());
  const std::vector<Message> question = {{"user", inputs.judge_template.Fill("a prompt", "an answer")}};
  return judge.PromptTokens(question).status();
}

Status CheckRanked(const config::RunConfig& config, const Inputs& inputs, const text::Chat& policy) {
  for (const data::RankedAnswer& answer : inputs.ranked) {
    const std::vector<Message> question = {{"user", inputs.judge_template.Fill(answer.prompt, answer.response)}};
    Status status = policy.PromptTokens(question).status();
    if (status.ok()) status = policy.ResponseTokens(answer.response).status();
    SRLM_RETURN_IF_ERROR(status.WithContext(
        fmt::format("{}: an answer to \"{}\" (\"{}\")", config.data.evaluation, answer.prompt_id, answer.response_id)));
  }
  return OkStatus();
}

// What the models are asked besides judging ranked answers.
Status CheckOwnAnswers(const config::RunConfig& config, const Inputs& inputs, const text::Chat& policy) {
  for (const auto& [path, prompts] : {std::pair(&config.data.evaluation_prompts, &inputs.evaluation_prompts),
                                      {&config.data.validation_prompts, &inputs.validation_prompts}})
    for (const data::Prompt& prompt : *prompts)
      SRLM_RETURN_IF_ERROR(PromptTokens(policy, prompt.input)
                               .status()
                               .WithContext(fmt::format("{}: prompt \"{}\"", *path, prompt.prompt_id)));
  for (const data::JudgeItem& answer : inputs.held_out) {
    Status status = PromptTokens(policy, answer.prompt).status();
    if (status.ok()) status = policy.ResponseTokens(answer.response).status();
    SRLM_RETURN_IF_ERROR(status.WithContext(fmt::format("{}: answer \"{}\"", config.data.held_out, answer.id)));
  }
  const bool compares = !inputs.evaluation_prompts.empty() || !inputs.validation_prompts.empty();
  const bool letters = compares && config.evaluation.comparison == config::VerdictKind::kExpected;
  if (!HasFixedEvaluationJudge(config))
    return letters ? PairChoices(policy).status().WithContext("model " + config.model) : OkStatus();
  const auto judge = LoadOutsideChat(config, config.evaluation.judge);
  SRLM_RETURN_IF_ERROR(judge.status().WithContext("evaluation.judge"));
  return letters ? PairChoices(**judge).status().WithContext("evaluation.judge " + config.evaluation.judge)
                 : OkStatus();
}

/// Every model that workers load: of a family that they have, and one that a replica's ranks can share.
Status CheckModels(const config::RunConfig& config) {
  std::vector<std::pair<std::string, std::string>> models = {{"model", config.model}};
  if (HasFixedWriter(config)) models.emplace_back("prompts.writer", config.prompts.writer);
  if (HasFixedJudge(config)) models.emplace_back("judge.model", config.judge.model);
  if (HasFixedEvaluationJudge(config)) models.emplace_back("evaluation.judge", config.evaluation.judge);
  for (const auto& [key, folder] : models) {
    const auto model = model::ReadModelConfig(folder);
    SRLM_RETURN_IF_ERROR(model.status().WithContext(key));
    const auto shard = model::MakeShard(*model, 0, config.workers.tensor_parallel);
    SRLM_RETURN_IF_ERROR(shard.status().WithContext("workers.tensor_parallel: " + key));
  }
  return OkStatus();
}

}  // namespace

Status CheckTexts(const config::RunConfig& config, const Inputs& inputs) {
  SRLM_RETURN_IF_ERROR(CheckModels(config));
  SRLM_ASSIGN_OR_RETURN(const auto policy, LoadPolicyChat(config, config.model));
  if (HasFixedWriter(config))
    SRLM_RETURN_IF_ERROR(LoadOutsideChat(config, config.prompts.writer).status().WithContext("prompts.writer"));
  const config::JudgeVerdict verdict = config.judge.verdict;
  const bool expected = verdict == config::JudgeVerdict::kExpected || verdict == config::JudgeVerdict::kDigit;
  if (HasFixedJudge(config)) {
    const auto judge = LoadOutsideChat(config, config.judge.model);
    SRLM_RETURN_IF_ERROR(judge.status().WithContext("judge.model"));
    SRLM_RETURN_IF_ERROR(CheckJudge(inputs, **judge, expected).WithContext("judge.model " + config.judge.model));
  }
  const bool measured = !inputs.ranked.empty() && config.evaluation.verdict == config::VerdictKind::kExpected;
  SRLM_RETURN_IF_ERROR(CheckJudge(inputs, *policy, measured || (expected && !HasFixedJudge(config)))
                           .WithContext("model " + config.model));
  const config::MetaJudgeConfig& meta = config.meta_judge;
  if (meta.enabled && meta.verdict == config::VerdictKind::kExpected)
    SRLM_RETURN_IF_ERROR(PairChoices(*policy).status().WithContext("model " + config.model));
  SRLM_RETURN_IF_ERROR(CheckGiven(config, inputs, *policy));
  SRLM_RETURN_IF_ERROR(CheckOwnAnswers(config, inputs, *policy));
  return CheckRanked(config, inputs, *policy);
}

}  // namespace srlm::rounds
