#include "coordinator/rounds/items.h"

#include <fmt/format.h>

#include "common/base/hash.h"
#include "common/data/expected_score.h"
#include "common/data/self_instruct.h"

namespace srlm::rounds {
namespace {

// The waves of new prompts wait on one another, so they go first; a measurement may stop the run, so it is early;
// votes finish what was begun.
enum Priority { kNewPrompt, kEvaluation, kVote, kCandidate };

// Decoding of one kind of text.
struct Decoding {
  double temperature;
  double top_p;
  int max_new_tokens;
};

void SetSample(v1::Item& item, const Decoding& decoding, const text::Chat& chat,
               const std::vector<RandomStream>& streams) {
  v1::SampleWork& work = *item.mutable_sample();
  work.set_temperature(decoding.temperature);
  work.set_top_p(decoding.top_p);
  work.set_max_new_tokens(static_cast<uint32_t>(decoding.max_new_tokens));
  for (const int id : chat.end_of_turn_ids()) work.add_stop_token_ids(id);
  for (const RandomStream& stream : streams) work.add_stream_keys(stream.key());
}

void SetPrompt(v1::Item& item, const std::vector<int>& token_ids) {
  item.mutable_prompt_token_ids()->Assign(token_ids.begin(), token_ids.end());
}

// The question to a judge, by votes drawn from `streams` or, without streams, by the digits' probabilities.
Status SetJudgement(const Context& context, const KnownModel& judge, const std::string& prompt,
                    const std::string& response, const std::vector<RandomStream>& streams, v1::Item& item) {
  SRLM_ASSIGN_OR_RETURN(const text::Chat* chat, context.models.ChatOf(judge));
  const std::vector<Message> question = {{"user", context.inputs.judge_template.Fill(prompt, response)}};
  SRLM_ASSIGN_OR_RETURN(std::vector<int> token_ids, chat->PromptTokens(question));
  item.set_model_id(judge.model_id);
  if (streams.empty()) {
    SRLM_ASSIGN_OR_RETURN(const text::Choices* choices, context.models.ScoreChoicesOf(judge));
    token_ids.insert(token_ids.end(), choices->opening_ids.begin(), choices->opening_ids.end());
    for (const int id : choices->choice_ids) item.mutable_choose()->add_choice_token_ids(id);
  } else {
    const config::JudgeConfig& config = context.config.judge;
    SetSample(item, {config.temperature, config.top_p, config.max_new_tokens}, *chat, streams);
  }
  SetPrompt(item, token_ids);
  return OkStatus();
}

std::vector<RandomStream> Children(const RandomStream& stream, int count) {
  std::vector<RandomStream> children;
  for (int i = 0; i < count; ++i) children.push_back(stream.Child(static_cast<uint64_t>(i)));
  return children;
}

}  // namespace

std::string CandidateItemId(int round, const std::string& prompt_id) {
  return fmt::format("{}/candidate/{}", round, prompt_id);
}

std::string VoteItemId(int round, const std::string& prompt_id, int sample) {
  return fmt::format("{}/vote/{}/{}", round, prompt_id, sample);
}

std::string EvaluationItemId(const std::string& model, int answer, bool expected) {
  return fmt::format("{}/evaluation/{}/{}", model, expected ? "expected" : "votes", answer);
}

RandomStream AttemptStream(const config::RunConfig& config, int round, int attempt) {
  return RandomStream(config.seed,
                      {v1::PURPOSE_NEW_PROMPT, static_cast<uint64_t>(round), static_cast<uint64_t>(attempt)});
}

Result<schedule::WorkItem> NewPromptItem(const Context& context, int round, int attempt,
                                         const std::vector<std::string>& instructions) {
  const KnownModel& writer = context.models.WriterFor(fmt::format("M{}", round));
  SRLM_ASSIGN_OR_RETURN(const text::Chat* chat, context.models.ChatOf(writer));
  // Plain text, without the chat template: inside a turn a chat model answers the list instead of continuing it.
  SRLM_ASSIGN_OR_RETURN(const std::vector<int> token_ids, chat->RawTokens(data::BuildSelfInstructPrompt(instructions)));
  schedule::WorkItem work;
  work.priority = kNewPrompt;
  work.subject = {.purpose = v1::PURPOSE_NEW_PROMPT, .round = round, .index = attempt};
  work.item.set_item_id(fmt::format("{}/new_prompt/{}", round, attempt));
  work.item.set_purpose(v1::PURPOSE_NEW_PROMPT);
  work.item.set_model_id(writer.model_id);
  SetPrompt(work.item, token_ids);
  const config::PromptsConfig& config = context.config.prompts;
  SetSample(work.item, {config.temperature, config.top_p, config.max_new_tokens}, *chat,
            Children(AttemptStream(context.config, round, attempt), 1));
  // An empty line ends the instruction: where that is a token of its own, nothing after it need be written.
  SRLM_ASSIGN_OR_RETURN(const std::vector<int> empty_line,
                        chat->tokenizer().Encode("\n\n", text::SpecialTokensInText::kText));
  if (empty_line.size() == 1) work.item.mutable_sample()->add_stop_token_ids(empty_line.front());
  return work;
}

schedule::WorkItem CandidateItem(const Context& context, const text::Chat& chat, const ledger::PromptRow& prompt) {
  schedule::WorkItem work;
  work.priority = kCandidate;
  work.subject = {.purpose = v1::PURPOSE_CANDIDATE, .round = prompt.round, .prompt_id = prompt.prompt_id};
  work.item.set_item_id(CandidateItemId(prompt.round, prompt.prompt_id));
  work.item.set_purpose(v1::PURPOSE_CANDIDATE);
  work.item.set_model_id(context.models.Find(fmt::format("M{}", prompt.round))->model_id);
  SetPrompt(work.item, prompt.token_ids);
  const config::GenerationConfig& config = context.config.generation;
  const RandomStream stream(context.config.seed,
                            {v1::PURPOSE_CANDIDATE, static_cast<uint64_t>(prompt.round), StreamId(prompt.prompt_id)});
  SetSample(work.item, {config.temperature, config.top_p, config.max_new_tokens}, chat,
            Children(stream, config.samples));
  return work;
}

Result<schedule::WorkItem> VoteItem(const Context& context, const ledger::PromptRow& prompt,
                                    const ledger::CandidateRow& candidate, const std::string& made_by) {
  const bool expected = context.config.judge.verdict == config::VerdictKind::kExpected;
  schedule::WorkItem work;
  work.priority = kVote;
  work.preferred_worker = made_by;
  work.subject = {.purpose = v1::PURPOSE_VOTE,
                  .round = prompt.round,
                  .prompt_id = prompt.prompt_id,
                  .index = candidate.sample,
                  .expected = expected};
  work.item.set_item_id(VoteItemId(prompt.round, prompt.prompt_id, candidate.sample));
  work.item.set_purpose(v1::PURPOSE_VOTE);
  work.item.set_subject_hash(candidate.token_hash);
  const RandomStream stream(context.config.seed, {v1::PURPOSE_VOTE, static_cast<uint64_t>(prompt.round),
                                                  StreamId(prompt.prompt_id), static_cast<uint64_t>(candidate.sample)});
  SRLM_RETURN_IF_ERROR(SetJudgement(context, context.models.JudgeFor(fmt::format("M{}", prompt.round)),
                                    data::PlainText(prompt.input), candidate.text,
                                    Children(stream, expected ? 0 : context.config.judge.votes), work.item));
  return work;
}

Result<schedule::WorkItem> EvaluationItem(const Context& context, const std::string& model, int answer, bool expected) {
  const data::RankedAnswer& ranked = context.inputs.ranked[static_cast<size_t>(answer)];
  const KnownModel& judge = *context.models.Find(model);
  schedule::WorkItem work;
  work.priority = kEvaluation;
  work.subject = {.purpose = v1::PURPOSE_EVALUATION, .index = answer, .model = model, .expected = expected};
  work.item.set_item_id(EvaluationItemId(model, answer, expected));
  work.item.set_purpose(v1::PURPOSE_EVALUATION);
  SRLM_ASSIGN_OR_RETURN(const text::Chat* chat, context.models.ChatOf(judge));
  SRLM_ASSIGN_OR_RETURN(const std::vector<int> response_ids, chat->ResponseTokens(ranked.response));
  work.item.set_subject_hash(Sha256Tokens(response_ids));
  const RandomStream stream(context.config.seed,
                            {v1::PURPOSE_EVALUATION, StreamId(model), static_cast<uint64_t>(answer)});
  SRLM_RETURN_IF_ERROR(SetJudgement(context, judge, ranked.prompt, ranked.response,
                                    Children(stream, expected ? 0 : context.config.evaluation.sampled_votes),
                                    work.item));
  return work;
}

double ExpectedScore(const v1::ItemResult& result) {
  const auto& logprobs = result.choice_logprobs();
  return data::ScoreFromLogprobs({logprobs.data(), static_cast<size_t>(logprobs.size())}).score;
}

}  // namespace srlm::rounds
