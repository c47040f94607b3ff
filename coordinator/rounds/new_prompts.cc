#include "coordinator/rounds/new_prompts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/data/self_instruct.h"
#include "coordinator/rounds/chats.h"
#include "coordinator/rounds/items.h"

namespace srlm::rounds {
namespace {

constexpr char kSeedPrefix[] = "seed:";  // of a demonstration that is a seed: its index follows

data::PromptFilterOptions FilterOptions(const config::PromptsConfig& config) {
  return {config.min_words, config.max_words, config.rouge_l_max, config.blacklist};
}

}  // namespace

NewPrompts::NewPrompts(const Context& context, int round, Accept accept)
    : context_(context),
      round_(round),
      accept_(std::move(accept)),
      filter_(FilterOptions(context.config.prompts)),
      known_(context.config, context.inputs, filter_) {}

void NewPrompts::AddToPool(const std::string& prompt_id, const std::string& instruction) {
  places_.emplace(prompt_id, pool_.size());
  pool_.emplace_back(prompt_id, instruction);
  filter_.Add(instruction);
}

Result<bool> NewPrompts::Begin() {
  constexpr std::chrono::milliseconds kSlice(20);
  constexpr int64_t kAtOnce = 64;
  if (begun_) return true;
  for (const Deadline slice = Deadline::After(kSlice); !slice.Expired();) {
    if (!known_.AddSome(slice)) break;
    SRLM_ASSIGN_OR_RETURN(const auto accepted, ledger::AcceptedAfter(context_.ledger, round_, taken_up_, kAtOnce));
    for (const ledger::AcceptedInstruction& each : accepted) {
      AddToPool(fmt::format("new-{}-{}", each.round, each.attempt), each.instruction);
      accepted_ += each.round == round_;
    }
    if (accepted.empty()) {
      begun_ = true;
      SRLM_RETURN_IF_ERROR(TakeUpWave());
      return true;
    }
    taken_up_ = accepted.back();
  }
  context_.turn_again();
  return false;
}

Status NewPrompts::TakeUpWave() {
  SRLM_ASSIGN_OR_RETURN(wave_, context_.ledger.LastWave(round_));
  if (!wave_.empty()) asked_ = wave_.back().attempt + 1;
  // A wave is closed in one unit, so it is open as a whole or not at all.
  const bool open =
      std::ranges::any_of(wave_, [](const auto& row) { return row.state == "asked" || row.state == "written"; });
  if (!open) {
    wave_.clear();
    return AskWave();
  }
  for (const ledger::AttemptRow& row : wave_)
    if (row.state == "asked") SRLM_RETURN_IF_ERROR(context_.Enqueue(NewPromptStub(context_, round_, row.attempt)));
  return CloseWaveIfWritten();
}

Status NewPrompts::AskWave() {
  const int count = std::min(context_.config.prompts.wave_size, MostAttempts() - asked_);
  done_ = accepted_ >= Wanted() || count <= 0;
  if (done_) {
    if (accepted_ < Wanted())
      return context_.Event(
          "warning", round_, "new_prompts_missing",
          fmt::format("{} of {} new prompts passed the filters in {} attempts; the round goes on with "
                      "these",
                      accepted_, Wanted(), asked_));
    return OkStatus();
  }
  const config::PromptsConfig& config = context_.config.prompts;
  const int wave = asked_ / config.wave_size;
  const auto seeds = static_cast<int>(context_.inputs.seeds.size());
  for (int i = 0; i < count; ++i) {
    ledger::AttemptRow row{.round = round_, .attempt = asked_++, .wave = wave};
    row.state = "asked";
    const RandomStream stream = AttemptStream(context_.config, round_, row.attempt);
    const auto drawn = data::DrawDemonstrations(stream, seeds, static_cast<int>(pool_.size()),
                                                config.demonstrations_seed, config.demonstrations_generated);
    std::vector<std::string> ids;
    for (const int index : drawn.seeds) ids.push_back(kSeedPrefix + std::to_string(index));
    for (const int index : drawn.generated) ids.push_back(pool_[static_cast<size_t>(index)].first);
    for (const int at : data::DrawOrder(stream, static_cast<int>(ids.size())))
      row.demonstrations.push_back(ids[static_cast<size_t>(at)]);
    SRLM_RETURN_IF_ERROR(context_.ledger.AddAttempt(row).status());
    SRLM_RETURN_IF_ERROR(context_.Enqueue(NewPromptStub(context_, round_, row.attempt)));
    wave_.push_back(std::move(row));
  }
  return OkStatus();
}

// How many attempts each filter took out.
Status NewPrompts::NoteOutcomes() {
  SRLM_ASSIGN_OR_RETURN(const auto outcomes, ledger::AttemptOutcomes(context_.ledger, round_));
  std::string counts;
  for (const auto& [outcome, count] : outcomes)
    counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", outcome, count);
  return context_.Event("info", round_, "new_prompts_written", fmt::format("{} attempts: {}", asked_, counts));
}

const std::string& NewPrompts::InstructionOf(const std::string& demonstration) const {
  if (demonstration.starts_with(kSeedPrefix)) {
    size_t index = 0;
    std::from_chars(demonstration.data() + sizeof kSeedPrefix - 1, demonstration.data() + demonstration.size(), index);
    return context_.inputs.seeds.at(index);
  }
  return pool_[places_.at(demonstration)].second;
}

Status NewPrompts::Complete(const schedule::Subject& subject, v1::Item& item) const {
  const auto row = std::ranges::find(wave_, subject.index, &ledger::AttemptRow::attempt);
  if (row == wave_.end()) return InternalError(fmt::format("item {}: its wave is over", item.item_id()));
  std::vector<std::string> instructions;
  for (const std::string& id : row->demonstrations) instructions.push_back(InstructionOf(id));
  return CompleteNewPrompt(context_, instructions, subject, item);
}

Result<bool> NewPrompts::Store(int attempt, const Finished& finished) {
  const auto row = std::ranges::find(wave_, attempt, &ledger::AttemptRow::attempt);
  if (row == wave_.end() || row->state != "asked") return false;
  const v1::SampleOutput& sample = finished.result.samples(0);
  row->token_ids.assign(sample.token_ids().begin(), sample.token_ids().end());
  row->text = finished.texts.front();
  row->model_id = finished.result.model_id();
  row->cut = sample.finish_reason() == v1::FINISH_REASON_LENGTH;
  row->logprob = sample.logprob();
  row->state = "written";
  SRLM_ASSIGN_OR_RETURN(const bool stored, context_.ledger.SetAttemptWritten(*row));
  SRLM_RETURN_IF_ERROR(CloseWaveIfWritten());
  return stored;
}

Status NewPrompts::SetAside(int attempt, const std::string& reason) {
  const auto row = std::ranges::find(wave_, attempt, &ledger::AttemptRow::attempt);
  if (row == wave_.end() || row->state != "asked") return OkStatus();
  row->state = "failed";
  SRLM_RETURN_IF_ERROR(context_.ledger.SetAttemptVerdict(round_, attempt, "failed", "", "not_written", reason));
  return CloseWaveIfWritten();
}

Status NewPrompts::CloseWaveIfWritten() {
  if (std::ranges::any_of(wave_, [](const auto& row) { return row.state == "asked"; })) return OkStatus();
  for (const ledger::AttemptRow& row : wave_)
    if (row.state == "written") SRLM_RETURN_IF_ERROR(Judge(row));
  wave_.clear();
  SRLM_RETURN_IF_ERROR(AskWave());
  return done_ ? NoteOutcomes() : OkStatus();
}

Result<std::string> NewPrompts::Unanswerable(const std::string& instruction) {
  SRLM_ASSIGN_OR_RETURN(const text::Chat* chat,
                        context_.models.ChatOf(*context_.models.Find(fmt::format("M{}", round_))));
  const Status status = PromptTokens(*chat, data::PromptInput::FromUser(instruction)).status();
  if (status.ok() || status.code() == Code::kInvalidArgument) return status.message();
  return status;
}

Status NewPrompts::Judge(const ledger::AttemptRow& row) {
  const data::ExtractedInstruction extracted = data::ExtractInstruction(row.text);
  ledger::Ledger& ledger = context_.ledger;
  if (accepted_ >= Wanted())
    return ledger.SetAttemptVerdict(round_, row.attempt, "surplus", extracted.text, "surplus",
                                    "the round had the new prompts it wants");
  const data::PromptCheck check = filter_.Check(extracted.text, row.cut && !extracted.complete);
  if (check.verdict != data::PromptVerdict::kAccepted)
    return ledger.SetAttemptVerdict(round_, row.attempt, "rejected", extracted.text,
                                    std::string(data::PromptVerdictName(check.verdict)), check.detail);
  SRLM_ASSIGN_OR_RETURN(const std::string refused, Unanswerable(extracted.text));
  if (!refused.empty())
    return ledger.SetAttemptVerdict(round_, row.attempt, "rejected", extracted.text, "unanswerable", refused);
  ++accepted_;
  SRLM_RETURN_IF_ERROR(ledger.SetAttemptVerdict(round_, row.attempt, "accepted", extracted.text, "", ""));
  const std::string prompt_id = fmt::format("new-{}-{}", round_, row.attempt);
  AddToPool(prompt_id, extracted.text);
  return accept_(prompt_id, extracted.text);
}

}  // namespace srlm::rounds
