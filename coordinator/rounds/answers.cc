#include "coordinator/rounds/answers.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/check.h"
#include "common/base/hash.h"
#include "common/data/digit_vote.h"
#include "common/data/judge_metrics.h"
#include "common/data/judge_template.h"
#include "common/data/pairs.h"
#include "common/data/verdict.h"
#include "coordinator/rounds/chats.h"
#include "coordinator/rounds/items.h"
#include "coordinator/rounds/judge_program.h"

namespace srlm::rounds {
namespace {

constexpr size_t kLeastWaiting = 4096;  // the queue is filled up when fewer wait
constexpr int64_t kAskAtOnce = 4096;    // keys of one look into the ledger
constexpr std::chrono::milliseconds kSlice(20);
const std::string kNotJudged = "not judged: ";  // before the reason of a candidate whose votes were given up

}  // namespace

int VotesWanted(const config::RunConfig& config) {
  const config::JudgeVerdict verdict = config.judge.verdict;
  const bool votes = verdict == config::JudgeVerdict::kSampled || verdict == config::JudgeVerdict::kDigit;
  return votes ? config.judge.votes : 1;
}

bool IsDropped(const config::RunConfig& config, const ledger::CandidateRow& candidate) {
  return candidate.cut && config.generation.cut_candidates == config::CutCandidates::kDrop;
}

std::string AnchorName(const config::RunConfig& config) { return std::string(config::NameOf(config.pairs.anchor)); }

int AnchorSamples(const config::RunConfig& config) {
  return config.pairs.rule == config::PairRule::kAnchored ? config.pairs.anchor_samples : 0;
}

bool IsAnchor(const config::RunConfig& config, int sample) { return sample >= config.generation.samples; }

void CountCandidate(const config::RunConfig& config, const ledger::CandidateRow& candidate,
                    ledger::RoundCounts& counts) {
  if (IsAnchor(config, candidate.sample)) {
    ++counts.anchors;
    counts.anchors_done += candidate.score || !candidate.reason.empty();
    return;
  }
  ++counts.candidates;
  counts.tokens += static_cast<int64_t>(candidate.token_ids.size());
  counts.dropped += IsDropped(config, candidate);
}

bool IsNotJudged(const ledger::CandidateRow& candidate) { return candidate.reason.starts_with(kNotJudged); }

Status Answers::Begin() {
  SRLM_ASSIGN_OR_RETURN(counts_, context_.ledger.Counts(round_));
  SRLM_ASSIGN_OR_RETURN(next_position_, context_.ledger.NextPosition(round_));
  SRLM_ASSIGN_OR_RETURN(const auto faults, context_.ledger.ItemFaults(round_));
  for (const ledger::ItemFaultRow& fault : faults)
    if (!fault.failed) tries_[fault.item_id] = fault.tries;
  all_candidates_asked_ = JudgedByProgram(context_.config);  // never: they are no work for a model
  return OkStatus();
}

Result<bool> Answers::DrawGiven() {
  if (drawn_) return true;
  const config::PromptsConfig& config = context_.config.prompts;
  const int wanted = config.per_round - config.new_per_round;
  const std::vector<data::Prompt>& given = context_.inputs.given;
  auto drawn = static_cast<int>(counts_.prompts - counts_.new_prompts);
  if (!used_ && drawn < wanted) {
    SRLM_ASSIGN_OR_RETURN(used_, context_.ledger.GivenPromptIds());
  }
  const Deadline slice = Deadline::After(kSlice);
  for (; drawn < wanted && counts_.new_prompts == 0 && given_index_ < given.size(); ++given_index_) {
    if (slice.Expired()) {
      context_.turn_again();
      return false;
    }
    if (used_->contains(given[given_index_].prompt_id)) continue;
    SRLM_RETURN_IF_ERROR(AddPrompt(given[given_index_].prompt_id, given[given_index_].input, false));
    ++drawn;
  }
  drawn_ = true;
  used_.reset();
  if (drawn == wanted) return true;
  SRLM_RETURN_IF_ERROR(context_.Event("warning", round_, "given_prompts_missing",
                                      fmt::format("{} of {} given prompts are left in {}; the round goes on with these",
                                                  drawn, wanted, context_.config.data.prompts)));
  return true;
}

Status Answers::AddPrompt(const std::string& prompt_id, data::PromptInput input, bool is_new) {
  ledger::PromptRow prompt{round_, next_position_, prompt_id, is_new, std::move(input), {}, "open", ""};
  SRLM_ASSIGN_OR_RETURN(const text::Chat* chat,
                        context_.models.ChatOf(*context_.models.Find(fmt::format("M{}", round_))));
  auto token_ids = PromptTokens(*chat, prompt.input);
  if (!token_ids.ok()) return token_ids.status().WithContext(fmt::format("prompt \"{}\"", prompt_id));
  prompt.token_ids = std::move(*token_ids);
  SRLM_ASSIGN_OR_RETURN(const bool added, context_.ledger.AddPrompt(prompt));
  if (!added)
    return InternalError(
        fmt::format("round {} has a prompt \"{}\" or a position {} already", round_, prompt_id, next_position_));
  ++next_position_;
  ++counts_.prompts;
  counts_.new_prompts += is_new;
  SRLM_RETURN_IF_ERROR(context_.ledger.SetCounts(counts_));
  all_prompts_asked_ = false;  // this one is the last
  return OkStatus();
}

Status Answers::Ask(schedule::WorkItem work) {
  const auto tries = tries_.find(work.item.item_id());
  context_.queue.Add(std::move(work), tries == tries_.end() ? 0 : tries->second);
  return OkStatus();
}

Status Answers::Refill() {
  if (!drawn_ || context_.queue.waiting() >= kLeastWaiting) return OkStatus();
  if (!all_candidates_asked_) {
    SRLM_ASSIGN_OR_RETURN(const auto keys, context_.ledger.OpenCandidates(round_, asked_candidates_, kAskAtOnce));
    for (const ledger::CandidateKey& key : keys) SRLM_RETURN_IF_ERROR(Ask(VoteStub(context_, round_, key, "")));
    if (!keys.empty()) asked_candidates_ = keys.back();
    all_candidates_asked_ = keys.size() < static_cast<size_t>(kAskAtOnce);
  }
  if (!all_prompts_asked_) {
    SRLM_ASSIGN_OR_RETURN(const auto prompts, context_.ledger.OpenPrompts(round_, asked_prompts_, kAskAtOnce));
    for (const ledger::OpenPrompt& prompt : prompts)
      SRLM_RETURN_IF_ERROR(Ask(prompt.state == "anchor"
                                   ? AnchorStub(context_, round_, prompt.position, prompt.prompt_id)
                                   : CandidateStub(context_, round_, prompt.position, prompt.prompt_id)));
    if (!prompts.empty()) asked_prompts_ = prompts.back().position;
    all_prompts_asked_ = prompts.size() < static_cast<size_t>(kAskAtOnce);
  }
  return OkStatus();
}

Result<bool> Answers::Recall(const std::string& item_id) {
  const auto name = ParseAnswerItem(item_id);
  if (!name || name->round != round_ || name->purpose == v1::PURPOSE_LIKELIHOOD ||
      name->purpose == v1::PURPOSE_META_VOTE)
    return false;
  SRLM_ASSIGN_OR_RETURN(const auto prompt, context_.ledger.PromptById(round_, name->prompt_id));
  if (!prompt) return false;
  if (name->purpose == v1::PURPOSE_CANDIDATE) {
    if (prompt->state != "open") return false;
    SRLM_RETURN_IF_ERROR(Ask(CandidateStub(context_, round_, prompt->position, prompt->prompt_id)));
    return true;
  }
  if (name->purpose == v1::PURPOSE_ANCHOR) {
    if (prompt->state != "anchor") return false;
    SRLM_RETURN_IF_ERROR(Ask(AnchorStub(context_, round_, prompt->position, prompt->prompt_id)));
    return true;
  }
  SRLM_ASSIGN_OR_RETURN(const auto candidate, context_.ledger.Candidate(round_, prompt->position, name->sample));
  if (!candidate || candidate->score || !candidate->reason.empty() || JudgedByProgram(context_.config)) return false;
  SRLM_RETURN_IF_ERROR(Ask(VoteStub(context_, round_, {prompt->position, name->sample, prompt->prompt_id}, "")));
  return true;
}

Result<bool> Answers::StoreCandidates(const schedule::Subject& subject, const Finished& finished) {
  SRLM_ASSIGN_OR_RETURN(const auto prompt, context_.ledger.Prompt(round_, subject.position));
  const bool anchor = subject.purpose == v1::PURPOSE_ANCHOR;
  if (!prompt || prompt->state != (anchor ? "anchor" : "open")) return false;
  const bool anchor_next = !anchor && AnchorSamples(context_.config) > 0;
  SRLM_RETURN_IF_ERROR(
      context_.ledger.SetPromptState(round_, subject.position, anchor_next ? "anchor" : "answered", ""));
  counts_.answered += !anchor_next;
  if (anchor_next) SRLM_RETURN_IF_ERROR(Ask(AnchorStub(context_, round_, subject.position, subject.prompt_id)));
  const int first = anchor ? context_.config.generation.samples : 0;
  for (int sample = first; sample < first + finished.result.samples_size(); ++sample) {
    const v1::SampleOutput& output = finished.result.samples(sample - first);
    ledger::CandidateRow row{.round = round_, .position = subject.position, .sample = sample};
    row.prompt_id = subject.prompt_id;
    row.model_id = finished.result.model_id();
    row.token_ids.assign(output.token_ids().begin(), output.token_ids().end());
    row.token_hash = Sha256Tokens(row.token_ids);
    row.text = finished.texts[static_cast<size_t>(sample - first)];
    row.cut = output.finish_reason() == v1::FINISH_REASON_LENGTH;
    row.logprob = output.logprob();
    const bool dropped = IsDropped(context_.config, row);
    if (dropped) row.reason = "cut at max_new_tokens";
    SRLM_RETURN_IF_ERROR(context_.ledger.AddCandidate(row).status());
    CountCandidate(context_.config, row, counts_);
    if (!dropped && !JudgedByProgram(context_.config))
      SRLM_RETURN_IF_ERROR(
          Ask(VoteStub(context_, round_, {subject.position, sample, subject.prompt_id}, finished.worker_id)));
  }
  SRLM_RETURN_IF_ERROR(context_.ledger.SetCounts(counts_));
  return true;
}

// The text of a vote, or the digit that it draws, and what that says.
Status Answers::ReadVote(const schedule::Subject& subject, const Finished& finished, ledger::VoteRow& row) const {
  const v1::ItemResult& result = finished.result;
  data::VerdictState state = data::VerdictState::kParsed;
  switch (context_.config.judge.verdict) {
    case config::JudgeVerdict::kDigit: {
      const RandomStream stream = VoteStream(context_.config, round_, subject.prompt_id, subject.index);
      const auto& logprobs = result.choice_logprobs();
      const int score =
          data::DrawDigit({logprobs.data(), static_cast<size_t>(logprobs.size())}, context_.config.judge.temperature,
                          stream.Child(static_cast<uint64_t>(row.vote)).Uniform(0));
      const int digit = score - data::kMinScore;
      const KnownModel& judge = context_.models.JudgeFor(fmt::format("M{}", round_));
      SRLM_ASSIGN_OR_RETURN(const text::Choices* choices, context_.models.ScoreChoicesOf(judge));
      row.token_ids = {choices->choice_ids.at(static_cast<size_t>(digit))};
      row.text = fmt::format("{}{}", data::kScorePrefix, score);
      row.logprob = logprobs.Get(digit);
      row.score = score;
      break;
    }
    case config::JudgeVerdict::kSampled: {
      const v1::SampleOutput& output = result.samples(row.vote);
      row.token_ids.assign(output.token_ids().begin(), output.token_ids().end());
      row.text = finished.texts[static_cast<size_t>(row.vote)];
      row.logprob = output.logprob();
      const data::Verdict verdict = data::ParseVerdict(row.text);
      state = verdict.state;
      row.score = verdict.score;
      break;
    }
    case config::JudgeVerdict::kExpected: row.score = ExpectedScore(result); break;
    case config::JudgeVerdict::kProgram: SRLM_CHECK(false, "a program's scores are no votes");
  }
  row.state = data::VerdictStateName(state);
  return OkStatus();
}

Result<bool> Answers::StoreVotes(const schedule::Subject& subject, const Finished& finished) {
  SRLM_ASSIGN_OR_RETURN(const auto candidate, context_.ledger.Candidate(round_, subject.position, subject.index));
  if (!candidate || candidate->score || !candidate->reason.empty()) return false;
  std::vector<ledger::VoteRow> votes(static_cast<size_t>(VotesWanted(context_.config)));
  for (size_t vote = 0; vote < votes.size(); ++vote) {
    votes[vote].vote = static_cast<int>(vote);
    votes[vote].model_id = finished.result.model_id();
    votes[vote].subject_hash = finished.result.subject_hash();
    SRLM_RETURN_IF_ERROR(ReadVote(subject, finished, votes[vote]));
  }
  SRLM_RETURN_IF_ERROR(StoreJudgement(*candidate, votes, "no vote could be read"));
  return true;
}

Status Answers::StoreProgramVote(const ledger::CandidateKey& key, std::optional<double> score) {
  SRLM_ASSIGN_OR_RETURN(const auto candidate, context_.ledger.Candidate(round_, key.position, key.sample));
  if (!candidate || candidate->score || !candidate->reason.empty()) return OkStatus();
  ledger::VoteRow row;
  row.model_id = JudgeProgramId(context_.config.judge);
  row.subject_hash = candidate->token_hash;
  row.score = score;
  row.state = data::VerdictStateName(score ? data::VerdictState::kParsed : data::VerdictState::kAbsent);
  return StoreJudgement(*candidate, {row}, "judge.program gave no score");
}

// All votes on a candidate, and the score that follows; `unscored` is the reason when none does.
Status Answers::StoreJudgement(const ledger::CandidateRow& candidate, const std::vector<ledger::VoteRow>& votes,
                               const std::string& unscored) {
  data::CandidateVotes judged{candidate.prompt_id, {}, {}, data::CountCharacters(candidate.text)};
  for (ledger::VoteRow row : votes) {
    row.round = round_;
    row.position = candidate.position;
    row.sample = candidate.sample;
    judged.states.push_back(*data::VerdictStateFromName(row.state));
    judged.scores.push_back(row.score);
    SRLM_RETURN_IF_ERROR(context_.ledger.AddVote(row).status());
  }
  if (IsAnchor(context_.config, candidate.sample)) {
    ++counts_.anchors_done;
  } else {
    SRLM_ASSIGN_OR_RETURN(const std::vector<double> others,
                          context_.ledger.ScoresOf(round_, candidate.position, context_.config.generation.samples));
    counts_.votes.Add(judged, others);
  }
  const std::optional<double> score = data::MeanScore(judged.scores);
  SRLM_RETURN_IF_ERROR(
      context_.ledger.SetCandidateScore(round_, candidate.position, candidate.sample, score, score ? "" : unscored));
  return context_.ledger.SetCounts(counts_);
}

Status Answers::SetAside(const schedule::Subject& subject, const std::string& reason) {
  if (subject.purpose == v1::PURPOSE_VOTE) {
    SRLM_ASSIGN_OR_RETURN(const auto candidate, context_.ledger.Candidate(round_, subject.position, subject.index));
    if (!candidate || candidate->score || !candidate->reason.empty()) return OkStatus();
    ++(IsAnchor(context_.config, subject.index) ? counts_.anchors_done : counts_.not_judged);
    SRLM_RETURN_IF_ERROR(
        context_.ledger.SetCandidateScore(round_, subject.position, subject.index, std::nullopt, kNotJudged + reason));
  } else {
    SRLM_RETURN_IF_ERROR(SetAsidePrompt(subject, reason));
  }
  return context_.ledger.SetCounts(counts_);
}

// Without the anchor's answers a prompt keeps those of the round's model, and makes no pair.
Status Answers::SetAsidePrompt(const schedule::Subject& subject, const std::string& reason) {
  const bool anchor = subject.purpose == v1::PURPOSE_ANCHOR;
  SRLM_ASSIGN_OR_RETURN(const auto prompt, context_.ledger.Prompt(round_, subject.position));
  if (!prompt || prompt->state != (anchor ? "anchor" : "open")) return OkStatus();
  ++(anchor ? counts_.answered : counts_.failed_prompts);
  return context_.ledger.SetPromptState(round_, subject.position, anchor ? "answered" : "failed", reason);
}

}  // namespace srlm::rounds
