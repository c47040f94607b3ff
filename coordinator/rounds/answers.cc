#include "coordinator/rounds/answers.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/hash.h"
#include "common/data/pairs.h"
#include "common/data/verdict.h"
#include "coordinator/rounds/chats.h"
#include "coordinator/rounds/items.h"

namespace srlm::rounds {
namespace {

const std::string kNotJudged = "not judged: ";  // before the reason of a candidate whose votes were given up

}  // namespace

int Answers::VotesWanted() const {
  const config::JudgeConfig& judge = context_.config.judge;
  return judge.verdict == config::VerdictKind::kExpected ? 1 : judge.votes;
}

Status Answers::Begin() {
  SRLM_ASSIGN_OR_RETURN(const auto prompts, context_.ledger.Prompts(round_));
  for (const ledger::PromptRow& prompt : prompts) {
    next_position_ = std::max(next_position_, prompt.position + 1);
    SRLM_RETURN_IF_ERROR(Resume(prompt));
  }
  // Given prompts are drawn in one transaction, before any other.
  return prompts.empty() ? DrawGiven() : OkStatus();
}

Status Answers::DrawGiven() {
  const config::PromptsConfig& config = context_.config.prompts;
  const int wanted = config.per_round - config.new_per_round;
  std::set<std::string> used;
  SRLM_ASSIGN_OR_RETURN(const auto earlier, context_.ledger.Prompts(0));
  for (const ledger::PromptRow& prompt : earlier)
    if (!prompt.is_new) used.insert(prompt.prompt_id);
  int drawn = 0;  // all of them in the unit of work that begins the round
  for (const data::Prompt& given : context_.inputs.given) {
    if (drawn == wanted) break;
    if (used.contains(given.prompt_id)) continue;
    SRLM_RETURN_IF_ERROR(AddPrompt(given.prompt_id, given.input, false));
    ++drawn;
  }
  if (drawn == wanted) return OkStatus();
  return context_.Event("warning", round_, "given_prompts_missing",
                        fmt::format("{} of {} given prompts are left in {}; the round goes on with these", drawn,
                                    wanted, context_.config.data.prompts));
}

Status Answers::Resume(const ledger::PromptRow& prompt) {
  ++total_;
  if (prompt.state == "failed") {
    ++failed_;
    return OkStatus();
  }
  SRLM_ASSIGN_OR_RETURN(const auto candidates, context_.ledger.CandidatesOf(round_, prompt.prompt_id));
  if (candidates.empty()) {
    --total_;
    return AskCandidates(prompt);
  }
  for (const ledger::CandidateRow& candidate : candidates) {
    if (IsDropped(candidate)) continue;
    if (candidate.score || !candidate.reason.empty()) {
      ++total_;
      failed_ += candidate.reason.starts_with(kNotJudged);
    } else {
      SRLM_RETURN_IF_ERROR(AskVotes(prompt, candidate, ""));
    }
  }
  return OkStatus();
}

Status Answers::AddPrompt(const std::string& prompt_id, data::PromptInput input, bool is_new) {
  ledger::PromptRow prompt{round_, prompt_id, next_position_++, is_new, std::move(input), {}, "open", ""};
  SRLM_ASSIGN_OR_RETURN(const text::Chat* chat,
                        context_.models.ChatOf(*context_.models.Find(fmt::format("M{}", round_))));
  auto token_ids = PromptTokens(*chat, prompt.input);
  if (!token_ids.ok()) return token_ids.status().WithContext(fmt::format("prompt \"{}\"", prompt_id));
  prompt.token_ids = std::move(*token_ids);
  SRLM_ASSIGN_OR_RETURN(const bool added, context_.ledger.AddPrompt(prompt));
  if (!added)
    return InvalidArgument(fmt::format("prompt id \"{}\" stands for a new prompt too; rename it in {}", prompt_id,
                                       context_.config.data.prompts));
  return AskCandidates(prompt);
}

Status Answers::Ask(schedule::WorkItem work) {
  ++total_;
  open_.insert(work.item.item_id());
  return context_.Enqueue(std::move(work));
}

Status Answers::AskCandidates(const ledger::PromptRow& prompt) {
  SRLM_ASSIGN_OR_RETURN(const text::Chat* chat,
                        context_.models.ChatOf(*context_.models.Find(fmt::format("M{}", round_))));
  return Ask(CandidateItem(context_, *chat, prompt));
}

bool Answers::IsDropped(const ledger::CandidateRow& candidate) const {
  return candidate.cut && context_.config.generation.cut_candidates == config::CutCandidates::kDrop;
}

Status Answers::AskVotes(const ledger::PromptRow& prompt, const ledger::CandidateRow& candidate,
                         const std::string& made_by) {
  const auto unscored = [&](const std::string& reason) {
    return context_.ledger.SetCandidateScore(round_, prompt.prompt_id, candidate.sample, std::nullopt, reason);
  };
  if (IsDropped(candidate)) return unscored("cut at max_new_tokens");
  Result<schedule::WorkItem> work = VoteItem(context_, prompt, candidate, made_by);
  if (work.status().code() == Code::kInvalidArgument) {
    ++total_;
    ++failed_;
    return unscored(kNotJudged + work.status().message());
  }
  SRLM_RETURN_IF_ERROR(work.status());
  return Ask(std::move(*work));
}

Result<ledger::PromptRow> Answers::PromptOf(const std::string& prompt_id) const {
  SRLM_ASSIGN_OR_RETURN(auto prompt, context_.ledger.Prompt(round_, prompt_id));
  if (!prompt) return InternalError(fmt::format("prompt {} of round {} is not in the ledger", prompt_id, round_));
  return std::move(*prompt);
}

Result<bool> Answers::StoreCandidates(const std::string& prompt_id, const Finished& finished) {
  if (open_.erase(CandidateItemId(round_, prompt_id)) == 0) return false;
  SRLM_ASSIGN_OR_RETURN(const ledger::PromptRow prompt, PromptOf(prompt_id));
  bool stored = false;
  for (int sample = 0; sample < finished.result.samples_size(); ++sample) {
    const v1::SampleOutput& output = finished.result.samples(sample);
    ledger::CandidateRow row{.round = round_, .prompt_id = prompt_id, .sample = sample};
    row.model_id = finished.result.model_id();
    row.token_ids.assign(output.token_ids().begin(), output.token_ids().end());
    row.token_hash = Sha256Tokens(row.token_ids);
    row.text = finished.texts[static_cast<size_t>(sample)];
    row.cut = output.finish_reason() == v1::FINISH_REASON_LENGTH;
    row.logprob = output.logprob();
    SRLM_ASSIGN_OR_RETURN(const bool is_new, context_.ledger.AddCandidate(row));
    stored |= is_new;
    if (is_new) SRLM_RETURN_IF_ERROR(AskVotes(prompt, row, finished.worker_id));
  }
  return stored;
}

Result<bool> Answers::StoreVotes(const schedule::Subject& subject, const Finished& finished) {
  if (open_.erase(VoteItemId(round_, subject.prompt_id, subject.index)) == 0) return false;
  const v1::ItemResult& result = finished.result;
  std::vector<std::optional<double>> scores;
  bool stored = false;
  for (int vote = 0; vote < VotesWanted(); ++vote) {
    ledger::VoteRow row{.round = round_, .prompt_id = subject.prompt_id, .sample = subject.index, .vote = vote};
    row.model_id = result.model_id();
    row.subject_hash = result.subject_hash();
    if (subject.expected) {
      row.state = data::VerdictStateName(data::VerdictState::kParsed);
      row.score = ExpectedScore(result);
    } else {
      const v1::SampleOutput& output = result.samples(vote);
      row.token_ids.assign(output.token_ids().begin(), output.token_ids().end());
      row.text = finished.texts[static_cast<size_t>(vote)];
      const data::Verdict verdict = data::ParseVerdict(row.text);
      row.state = data::VerdictStateName(verdict.state);
      row.score = verdict.score;
      row.logprob = output.logprob();
    }
    scores.push_back(row.score);
    SRLM_ASSIGN_OR_RETURN(const bool is_new, context_.ledger.AddVote(row));
    stored |= is_new;
  }
  const std::optional<double> score = data::MeanScore(scores);
  SRLM_RETURN_IF_ERROR(context_.ledger.SetCandidateScore(round_, subject.prompt_id, subject.index, score,
                                                         score ? "" : "no vote could be read"));
  return stored;
}

Status Answers::SetAside(const schedule::Subject& subject, const std::string& reason) {
  const bool votes = subject.purpose == v1::PURPOSE_VOTE;
  if (open_.erase(votes ? VoteItemId(round_, subject.prompt_id, subject.index)
                        : CandidateItemId(round_, subject.prompt_id)) == 0)
    return OkStatus();
  ++failed_;
  if (votes)
    return context_.ledger.SetCandidateScore(round_, subject.prompt_id, subject.index, std::nullopt,
                                             kNotJudged + reason);
  return context_.ledger.SetPromptFailed(round_, subject.prompt_id, reason);
}

}  // namespace srlm::rounds
