#include "coordinator/rounds/evaluation_items.h"

#include <fmt/format.h>

#include <optional>

#include "common/base/hash.h"
#include "common/base/saved_steps.h"
#include "coordinator/rounds/chats.h"
#include "coordinator/rounds/item_parts.h"

namespace srlm::rounds {
namespace {

const data::Prompt& PromptOf(const Context& context, const schedule::Subject& subject) {
  return PromptsFor(context, subject.model).at(static_cast<size_t>(subject.index));
}

}  // namespace

const std::vector<data::Prompt>& PromptsFor(const Context& context, const std::string& model) {
  return OutputOf(model).empty() ? context.inputs.evaluation_prompts : context.inputs.validation_prompts;
}

schedule::WorkItem EvaluationAnswerStub(const Context& context, const std::string& model, int prompt) {
  return Stub(kEvaluation, *context.models.Find(model), fmt::format("{}/evaluation_answer/{}", model, prompt),
              {.purpose = v1::PURPOSE_EVALUATION_ANSWER, .index = prompt, .model = model});
}

schedule::WorkItem ComparisonStub(const Context& context, const std::string& model, const std::string& other,
                                  int prompt, bool backward) {
  return Stub(kEvaluation, context.models.EvaluationJudgeFor(model),
              fmt::format("{}/comparison/{}/{}/{}", model, other, prompt, backward ? "backward" : "forward"),
              {.purpose = v1::PURPOSE_COMPARISON,
               .index = prompt,
               .model = model,
               .other = other,
               .backward = backward,
               .expected = context.config.evaluation.comparison == config::VerdictKind::kExpected});
}

schedule::WorkItem HeldOutStub(const Context& context, const std::string& model, int answer) {
  return Stub(kEvaluation, *context.models.Find(model), fmt::format("{}/held_out/{}", model, answer),
              {.purpose = v1::PURPOSE_HELD_OUT, .index = answer, .model = model});
}

std::string ComparedHash(const std::string& first_hash, const std::string& second_hash) {
  return Sha256(first_hash + second_hash);
}

// The draws are named by the prompt alone, so that two models, and two runs, draw the same numbers.
Status CompleteEvaluationAnswer(const Context& context, const schedule::Subject& subject, v1::Item& item) {
  const data::Prompt& prompt = PromptOf(context, subject);
  SRLM_ASSIGN_OR_RETURN(const text::Chat* chat, context.models.ChatOf(*context.models.Find(subject.model)));
  SRLM_ASSIGN_OR_RETURN(const std::vector<int> token_ids, PromptTokens(*chat, prompt.input));
  SetPrompt(item, token_ids);
  const config::EvaluationConfig& config = context.config.evaluation;
  const RandomStream stream(context.config.seed, {v1::PURPOSE_EVALUATION_ANSWER, StreamId(prompt.prompt_id)});
  SetSample(item, {config.temperature, config.top_p, config.max_new_tokens}, *chat, Children(stream, 1));
  return OkStatus();
}

Status CompleteComparison(const Context& context, const schedule::Subject& subject, v1::Item& item) {
  const data::Prompt& prompt = PromptOf(context, subject);
  SRLM_ASSIGN_OR_RETURN(const auto one, context.ledger.EvaluationAnswer(subject.model, subject.index));
  SRLM_ASSIGN_OR_RETURN(const auto two, context.ledger.EvaluationAnswer(subject.other, subject.index));
  if (!one || !two) return InternalError(fmt::format("item {}: its answers are not in the ledger", item.item_id()));
  const auto& first = subject.backward ? *two : *one;
  const auto& second = subject.backward ? *one : *two;
  item.set_subject_hash(ComparedHash(first.token_hash, second.token_hash));
  const KnownModel& judge = context.models.EvaluationJudgeFor(subject.model);
  SRLM_ASSIGN_OR_RETURN(const text::Chat* chat, context.models.ChatOf(judge));
  const text::Choices* letters = nullptr;
  if (subject.expected) {
    SRLM_ASSIGN_OR_RETURN(letters, context.models.PairChoicesOf(judge));
  }
  const config::JudgeConfig& config = context.config.judge;
  const RandomStream stream(context.config.seed,
                            {v1::PURPOSE_COMPARISON, StreamId(subject.model), StreamId(subject.other),
                             StreamId(prompt.prompt_id), static_cast<uint64_t>(subject.backward)});
  return SetQuestion(context.inputs.pairwise_template.Fill(data::PlainText(prompt.input), first.text, second.text),
                     *chat, {config.temperature, config.top_p, config.max_new_tokens},
                     Children(stream, context.config.evaluation.comparison_votes), letters, item);
}

Status CompleteHeldOut(const Context& context, const schedule::Subject& subject, v1::Item& item) {
  const data::JudgeItem& answer = context.inputs.held_out.at(static_cast<size_t>(subject.index));
  SRLM_ASSIGN_OR_RETURN(const text::Chat* chat, context.models.ChatOf(*context.models.Find(subject.model)));
  SRLM_ASSIGN_OR_RETURN(const std::vector<int> prompt, PromptTokens(*chat, answer.prompt));
  SRLM_ASSIGN_OR_RETURN(const std::vector<int> response, chat->ResponseTokens(answer.response));
  SetPrompt(item, prompt);
  item.set_subject_hash(Sha256Tokens(response));
  item.mutable_score()->mutable_response_token_ids()->Assign(response.begin(), response.end());
  return OkStatus();
}

}  // namespace srlm::rounds
