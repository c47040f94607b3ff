#include "coordinator/rounds/items.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <utility>

#include "common/base/hash.h"
#include "common/data/expected_score.h"
#include "common/data/self_instruct.h"
#include "coordinator/rounds/answers.h"
#include "coordinator/rounds/item_parts.h"

namespace srlm::rounds {
namespace {

// The question to a judge, by votes drawn from `streams` or, without streams, by the digits' probabilities.
Status SetJudgement(const Context& context, const KnownModel& judge, const std::string& prompt,
                    const std::string& response, const std::vector<RandomStream>& streams, v1::Item& item) {
  SRLM_ASSIGN_OR_RETURN(const text::Chat* chat, context.models.ChatOf(judge));
  const text::Choices* choices = nullptr;
  if (streams.empty()) {
    SRLM_ASSIGN_OR_RETURN(choices, context.models.ScoreChoicesOf(judge));
  }
  const config::JudgeConfig& config = context.config.judge;
  return SetQuestion(context.inputs.judge_template.Fill(prompt, response), *chat,
                     {config.temperature, config.top_p, config.max_new_tokens}, streams, choices, item);
}

// The model whose round it is.
std::string ModelName(int round) { return fmt::format("M{}", round); }

Result<ledger::PromptRow> PromptOf(const Context& context, const schedule::Subject& subject) {
  SRLM_ASSIGN_OR_RETURN(auto prompt, context.ledger.Prompt(subject.round, subject.position));
  if (!prompt)
    return InternalError(fmt::format("prompt {} of round {} is not in the ledger", subject.prompt_id, subject.round));
  return std::move(*prompt);
}

// Answers of a run's model to a prompt; its tokens are the same for each of them, which share their chat template.
Status CompleteAnswers(const Context& context, const schedule::Subject& subject, const std::string& model, int samples,
                       v1::Item& item) {
  SRLM_ASSIGN_OR_RETURN(const ledger::PromptRow prompt, PromptOf(context, subject));
  SRLM_ASSIGN_OR_RETURN(const text::Chat* chat, context.models.ChatOf(*context.models.Find(model)));
  SetPrompt(item, prompt.token_ids);
  const config::GenerationConfig& config = context.config.generation;
  const RandomStream stream(context.config.seed, {static_cast<uint64_t>(subject.purpose),
                                                  static_cast<uint64_t>(subject.round), StreamId(subject.prompt_id)});
  SetSample(item, {config.temperature, config.top_p, config.max_new_tokens}, *chat, Children(stream, samples));
  return OkStatus();
}

}  // namespace

RandomStream AttemptStream(const config::RunConfig& config, int round, int attempt) {
  return RandomStream(config.seed,
                      {v1::PURPOSE_NEW_PROMPT, static_cast<uint64_t>(round), static_cast<uint64_t>(attempt)});
}

RandomStream VoteStream(const config::RunConfig& config, int round, const std::string& prompt_id, int sample) {
  return RandomStream(config.seed, {v1::PURPOSE_VOTE, static_cast<uint64_t>(round), StreamId(prompt_id),
                                    static_cast<uint64_t>(sample)});
}

schedule::WorkItem NewPromptStub(const Context& context, int round, int attempt) {
  return Stub(kNewPrompt, context.models.WriterFor(ModelName(round)), fmt::format("{}/new_prompt/{}", round, attempt),
              {.purpose = v1::PURPOSE_NEW_PROMPT, .round = round, .index = attempt});
}

schedule::WorkItem CandidateStub(const Context& context, int round, int position, const std::string& prompt_id) {
  return Stub(kCandidate, *context.models.Find(ModelName(round)), fmt::format("{}/candidate/{}", round, prompt_id),
              {.purpose = v1::PURPOSE_CANDIDATE, .round = round, .prompt_id = prompt_id, .position = position});
}

schedule::WorkItem AnchorStub(const Context& context, int round, int position, const std::string& prompt_id) {
  return Stub(kCandidate, *context.models.Find(AnchorName(context.config)),
              fmt::format("{}/anchor/{}", round, prompt_id),
              {.purpose = v1::PURPOSE_ANCHOR, .round = round, .prompt_id = prompt_id, .position = position});
}

schedule::WorkItem VoteStub(const Context& context, int round, const ledger::CandidateKey& candidate,
                            const std::string& made_by) {
  schedule::WorkItem work = Stub(kVote, context.models.JudgeFor(ModelName(round)),
                                 fmt::format("{}/vote/{}/{}", round, candidate.prompt_id, candidate.sample),
                                 {.purpose = v1::PURPOSE_VOTE,
                                  .round = round,
                                  .prompt_id = candidate.prompt_id,
                                  .position = candidate.position,
                                  .index = candidate.sample,
                                  .expected = context.config.judge.verdict != config::JudgeVerdict::kSampled});
  work.preferred_worker = made_by;
  return work;
}

schedule::WorkItem LikelihoodStub(const Context& context, int round, const ledger::CandidateKey& candidate,
                                  const std::string& model) {
  return Stub(kLikelihood, *context.models.Find(model),
              fmt::format("{}/likelihood/{}/{}/{}", round, candidate.prompt_id, candidate.sample, model.substr(1)),
              {.purpose = v1::PURPOSE_LIKELIHOOD,
               .round = round,
               .prompt_id = candidate.prompt_id,
               .position = candidate.position,
               .index = candidate.sample,
               .model = model});
}

schedule::WorkItem MetaVoteStub(const Context& context, int round, const ledger::CandidateKey& candidate, int first,
                                int second) {
  return Stub(kMetaVote, *context.models.Find(ModelName(round)),
              fmt::format("{}/meta_vote/{}/{}/{}/{}", round, candidate.prompt_id, candidate.sample, first, second),
              {.purpose = v1::PURPOSE_META_VOTE,
               .round = round,
               .prompt_id = candidate.prompt_id,
               .position = candidate.position,
               .index = candidate.sample,
               .first = first,
               .second = second,
               .expected = context.config.meta_judge.verdict == config::VerdictKind::kExpected});
}

schedule::WorkItem EvaluationStub(const Context& context, const std::string& model, int answer, bool expected) {
  return Stub(kEvaluation, *context.models.Find(model),
              fmt::format("{}/evaluation/{}/{}", model, expected ? "expected" : "votes", answer),
              {.purpose = v1::PURPOSE_EVALUATION, .index = answer, .model = model, .expected = expected});
}

std::optional<AnswerItemName> ParseAnswerItem(const std::string& item_id) {
  AnswerItemName name;
  const char* const end = item_id.data() + item_id.size();
  const auto [at, error] = std::from_chars(item_id.data(), end, name.round);
  if (error != std::errc()) return std::nullopt;
  std::string rest(at, end);
  // The number after the last slash, which is taken off: an id may hold others.
  const auto take_number = [&rest](int& number) {
    const size_t slash = rest.rfind('/');
    if (slash == std::string::npos) return false;
    const char* const last = rest.data() + rest.size();
    const auto [stop, wrong] = std::from_chars(rest.data() + slash + 1, last, number);
    rest.resize(slash);
    return wrong == std::errc() && stop == last;
  };
  for (const auto& [prefix, purpose] : {std::pair{"/candidate/", v1::PURPOSE_CANDIDATE},
                                        {"/anchor/", v1::PURPOSE_ANCHOR},
                                        {"/vote/", v1::PURPOSE_VOTE},
                                        {"/likelihood/", v1::PURPOSE_LIKELIHOOD},
                                        {"/meta_vote/", v1::PURPOSE_META_VOTE}}) {
    if (!rest.starts_with(prefix)) continue;
    name.purpose = purpose;
    rest.erase(0, std::strlen(prefix));
  }
  if (name.purpose == v1::PURPOSE_UNSPECIFIED) return std::nullopt;
  const bool compares = name.purpose == v1::PURPOSE_META_VOTE;
  if (compares && !take_number(name.second)) return std::nullopt;
  if ((compares || name.purpose == v1::PURPOSE_LIKELIHOOD) && !take_number(name.first)) return std::nullopt;
  if ((compares || name.purpose == v1::PURPOSE_VOTE || name.purpose == v1::PURPOSE_LIKELIHOOD) &&
      !take_number(name.sample))
    return std::nullopt;
  name.prompt_id = rest;
  return name;
}

Status CompleteNewPrompt(const Context& context, const std::vector<std::string>& instructions,
                         const schedule::Subject& subject, v1::Item& item) {
  SRLM_ASSIGN_OR_RETURN(const text::Chat* chat,
                        context.models.ChatOf(context.models.WriterFor(ModelName(subject.round))));
  // Plain text, without the chat template: inside a turn a chat model answers the list instead of continuing it.
  SRLM_ASSIGN_OR_RETURN(const std::vector<int> token_ids, chat->RawTokens(data::BuildSelfInstructPrompt(instructions)));
  // An empty line ends the instruction: where that is a token of its own, nothing after it need be written.
  SRLM_ASSIGN_OR_RETURN(const std::vector<int> empty_line,
                        chat->tokenizer().Encode("\n\n", text::SpecialTokensInText::kText));
  SetPrompt(item, token_ids);
  const config::PromptsConfig& config = context.config.prompts;
  SetSample(item, {config.temperature, config.top_p, config.max_new_tokens}, *chat,
            Children(AttemptStream(context.config, subject.round, subject.index), 1));
  if (empty_line.size() == 1) item.mutable_sample()->add_stop_token_ids(empty_line.front());
  return OkStatus();
}

Status CompleteCandidate(const Context& context, const schedule::Subject& subject, v1::Item& item) {
  return CompleteAnswers(context, subject, ModelName(subject.round), context.config.generation.samples, item);
}

Status CompleteAnchor(const Context& context, const schedule::Subject& subject, v1::Item& item) {
  return CompleteAnswers(context, subject, AnchorName(context.config), context.config.pairs.anchor_samples, item);
}

Status CompleteVote(const Context& context, const schedule::Subject& subject, v1::Item& item) {
  SRLM_ASSIGN_OR_RETURN(const ledger::PromptRow prompt, PromptOf(context, subject));
  SRLM_ASSIGN_OR_RETURN(const auto candidate, context.ledger.Candidate(subject.round, subject.position, subject.index));
  if (!candidate) return InternalError(fmt::format("item {}: its candidate is not in the ledger", item.item_id()));
  item.set_subject_hash(candidate->token_hash);
  const RandomStream stream = VoteStream(context.config, subject.round, subject.prompt_id, subject.index);
  return SetJudgement(context, context.models.JudgeFor(ModelName(subject.round)), data::PlainText(prompt.input),
                      candidate->text, Children(stream, subject.expected ? 0 : context.config.judge.votes), item);
}

Status CompleteLikelihood(const Context& context, const schedule::Subject& subject, v1::Item& item) {
  SRLM_ASSIGN_OR_RETURN(const ledger::PromptRow prompt, PromptOf(context, subject));
  SRLM_ASSIGN_OR_RETURN(const auto candidate, context.ledger.Candidate(subject.round, subject.position, subject.index));
  if (!candidate) return InternalError(fmt::format("item {}: its candidate is not in the ledger", item.item_id()));
  item.set_subject_hash(candidate->token_hash);
  SetPrompt(item, prompt.token_ids);
  item.mutable_score()->mutable_response_token_ids()->Assign(candidate->token_ids.begin(), candidate->token_ids.end());
  return OkStatus();
}

std::string ComparedHash(const ledger::VoteRow& first, const ledger::VoteRow& second) {
  return Sha256(Sha256Tokens(first.token_ids) + Sha256Tokens(second.token_ids));
}

Status CompleteMetaVote(const Context& context, const schedule::Subject& subject, v1::Item& item) {
  SRLM_ASSIGN_OR_RETURN(const ledger::PromptRow prompt, PromptOf(context, subject));
  SRLM_ASSIGN_OR_RETURN(const auto candidate, context.ledger.Candidate(subject.round, subject.position, subject.index));
  SRLM_ASSIGN_OR_RETURN(const auto votes, context.ledger.VotesOf(subject.round, subject.position, subject.index));
  if (!candidate || std::max(subject.first, subject.second) >= static_cast<int>(votes.size()))
    return InternalError(fmt::format("item {}: what it compares is not in the ledger", item.item_id()));
  const ledger::VoteRow& first = votes[static_cast<size_t>(subject.first)];
  const ledger::VoteRow& second = votes[static_cast<size_t>(subject.second)];
  item.set_subject_hash(ComparedHash(first, second));
  const KnownModel& model = *context.models.Find(ModelName(subject.round));
  SRLM_ASSIGN_OR_RETURN(const text::Chat* chat, context.models.ChatOf(model));
  const text::Choices* choices = nullptr;
  if (subject.expected) {
    SRLM_ASSIGN_OR_RETURN(choices, context.models.PairChoicesOf(model));
  }
  const RandomStream stream(context.config.seed,
                            {v1::PURPOSE_META_VOTE, static_cast<uint64_t>(subject.round), StreamId(subject.prompt_id),
                             static_cast<uint64_t>(subject.index), static_cast<uint64_t>(subject.first),
                             static_cast<uint64_t>(subject.second)});
  const config::MetaJudgeConfig& config = context.config.meta_judge;
  const std::string judge_prompt = context.inputs.judge_template.Fill(data::PlainText(prompt.input), candidate->text);
  return SetQuestion(context.inputs.meta_template.Fill(judge_prompt, first.text, second.text), *chat,
                     {config.temperature, config.top_p, config.max_new_tokens}, {stream}, choices, item);
}

Status CompleteEvaluation(const Context& context, const schedule::Subject& subject, v1::Item& item) {
  const data::RankedAnswer& ranked = context.inputs.ranked.at(static_cast<size_t>(subject.index));
  const KnownModel& judge = *context.models.Find(subject.model);
  SRLM_ASSIGN_OR_RETURN(const text::Chat* chat, context.models.ChatOf(judge));
  SRLM_ASSIGN_OR_RETURN(const std::vector<int> response_ids, chat->ResponseTokens(ranked.response));
  item.set_subject_hash(Sha256Tokens(response_ids));
  const RandomStream stream(context.config.seed,
                            {v1::PURPOSE_EVALUATION, StreamId(subject.model), static_cast<uint64_t>(subject.index)});
  return SetJudgement(context, judge, ranked.prompt, ranked.response,
                      Children(stream, subject.expected ? 0 : context.config.evaluation.sampled_votes), item);
}

double ExpectedScore(const v1::ItemResult& result) {
  const auto& logprobs = result.choice_logprobs();
  return data::ScoreFromLogprobs({logprobs.data(), static_cast<size_t>(logprobs.size())}).score;
}

}  // namespace srlm::rounds
