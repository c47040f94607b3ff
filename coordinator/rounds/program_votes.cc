#include "coordinator/rounds/program_votes.h"

#include <fmt/format.h>

#include <filesystem>

#include <nlohmann/json.hpp>

#include "common/base/file.h"
#include "common/base/hash.h"

namespace srlm::rounds {
namespace {

constexpr std::chrono::milliseconds kSlice(20);
constexpr int64_t kPromptsAtOnce = 16;

std::string ProgramId(const ledger::CandidateKey& key) { return fmt::format("{}/{}", key.prompt_id, key.sample); }

}  // namespace

Result<bool> ProgramVotes::Advance() {
  const Deadline slice = Deadline::After(kSlice);
  while (step_ != Step::kDone && problem_.empty() && !slice.Expired()) {
    const Step before = step_;
    SRLM_ASSIGN_OR_RETURN(step_, Do(before));
    if (step_ == Step::kWait && before == Step::kWait) return false;
  }
  if (step_ != Step::kDone && problem_.empty()) context_.turn_again();
  return step_ == Step::kDone;
}

Result<ProgramVotes::Step> ProgramVotes::Do(Step step) {
  switch (step) {
    case Step::kBegin: return Begin();
    case Step::kList: return List();
    case Step::kStart: return Start();
    case Step::kWait: return Wait();
    case Step::kRead: return Read();
    case Step::kStore: return Store();
    case Step::kDone: break;
  }
  return Step::kDone;
}

Result<ProgramVotes::Step> ProgramVotes::Begin() {
  keys_.clear();
  scores_ = {};
  listed_until_ = -1;
  SRLM_RETURN_IF_ERROR(context_.WithRoom([&] { return MakeFolders(JudgementFolder(context_.run_dir, round_)); }));
  SRLM_ASSIGN_OR_RETURN(const std::string known, context_.ledger.Fact(JudgementFact(round_)));
  const auto found = Sha256File(File(kScoresFile));
  accepted_ = !known.empty() && found.ok() && *found == known;
  if (accepted_) return Step::kList;
  SRLM_RETURN_IF_ERROR(context_.WithRoom([&] {
    SRLM_ASSIGN_OR_RETURN(writer_, data::JsonlWriter::Create(File(kCandidatesFile)));
    return OkStatus();
  }));
  return Step::kList;
}

// All candidates that are judged, also those that have their vote: the program is asked the same whenever it is.
Status ProgramVotes::ListPrompt(const ledger::PromptRow& prompt) {
  SRLM_ASSIGN_OR_RETURN(const auto candidates, context_.ledger.CandidatesOf(round_, prompt.position));
  for (const ledger::CandidateRow& row : candidates) {
    if (IsDropped(context_.config, row)) continue;
    const ledger::CandidateKey& key = keys_.emplace_back(row.position, row.sample, row.prompt_id);
    scores_.Expect(ProgramId(key));
    if (writer_)
      SRLM_RETURN_IF_ERROR(writer_->Write(data::CandidateForProgram(ProgramId(key), prompt.input, row.text)));
  }
  listed_until_ = prompt.position;
  return OkStatus();
}

Result<ProgramVotes::Step> ProgramVotes::List() {
  SRLM_ASSIGN_OR_RETURN(const auto prompts, context_.ledger.PromptsAfter(round_, listed_until_, kPromptsAtOnce));
  Status status;
  for (auto prompt = prompts.begin(); status.ok() && prompt != prompts.end(); ++prompt) status = ListPrompt(*prompt);
  if (status.ok() && !prompts.empty()) return Step::kList;
  if (status.ok() && writer_) status = writer_->Close();
  writer_.reset();
  if (status.ok()) return accepted_ ? Step::kRead : Step::kStart;
  if (status.code() != Code::kResourceExhausted || context_.room == nullptr) return status;
  SRLM_RETURN_IF_ERROR(context_.room->WaitAfter(status));
  return Step::kBegin;
}

Result<ProgramVotes::Step> ProgramVotes::Start() {
  pauses_ = context_.room == nullptr ? 0 : context_.room->pauses();
  std::string problem;
  SRLM_RETURN_IF_ERROR(program_.Start(problem));
  return problem.empty() ? Step::kWait : Fail(problem);
}

Result<ProgramVotes::Step> ProgramVotes::Wait() {
  if (!program_.running()) return Step::kStart;  // it was stopped
  std::string problem;
  SRLM_ASSIGN_OR_RETURN(const JudgeProgram::State state, program_.Poll(keys_.size(), problem));
  if (state == JudgeProgram::State::kRunning) return Step::kWait;
  if (state == JudgeProgram::State::kEnded) return Step::kRead;
  if (context_.room == nullptr) return Fail(problem);
  SRLM_RETURN_IF_ERROR(context_.room->WaitFor({0, fmt::format("judging round {}", round_)}).status());
  if (context_.room->pauses() != pauses_) return Step::kStart;  // it may have failed for lack of room
  return Fail(problem);
}

Result<ProgramVotes::Step> ProgramVotes::Read() {
  constexpr int kRowsAtOnce = 256;
  if (!reader_) {
    auto opened = data::JsonlReader::Open(File(accepted_ ? kScoresFile : kOutputFile));
    if (!opened.ok()) return Fail(opened.status().message());
    reader_.emplace(std::move(*opened));
  }
  nlohmann::json row;
  for (int i = 0; i < kRowsAtOnce; ++i) {
    const auto more = reader_->Next(row);
    if (!more.ok()) return Fail(more.status().message());
    const Status taken = *more ? scores_.Take(row) : scores_.CheckComplete();
    if (!taken.ok()) return Fail(*more ? reader_->Error(taken.message()).message() : taken.message());
    if (*more) continue;
    reader_.reset();
    if (!accepted_) SRLM_RETURN_IF_ERROR(Accept());
    return Step::kStore;
  }
  return Step::kRead;
}

Status ProgramVotes::Accept() {
  SRLM_RETURN_IF_ERROR(context_.WithRoom([&] {
    const std::string from = File(kOutputFile), to = File(kScoresFile);
    std::error_code error;
    if (std::filesystem::exists(from, error)) {  // else renamed by the try before
      SRLM_RETURN_IF_ERROR(SyncPath(from));
      std::filesystem::rename(from, to, error);
      if (error) return FileError("rename", from, error.value());
    }
    return SyncPath(JudgementFolder(context_.run_dir, round_));
  }));
  SRLM_ASSIGN_OR_RETURN(const std::string hash, Sha256File(File(kScoresFile)));
  SRLM_RETURN_IF_ERROR(context_.ledger.SetFact(JudgementFact(round_), hash));
  return context_.Event("info", round_, "judged_by_program",
                        fmt::format("{} of {} candidates have a score of {} after {:.1f} s", scores_.scored(),
                                    scores_.size(), JudgeProgramId(context_.config.judge), program_.seconds()));
}

Result<ProgramVotes::Step> ProgramVotes::Store() {
  constexpr size_t kVotesAtOnce = 64;
  const size_t end = std::min(keys_.size(), stored_ + kVotesAtOnce);
  for (; stored_ < end; ++stored_)
    SRLM_RETURN_IF_ERROR(answers_.StoreProgramVote(keys_[stored_], scores_.score(stored_)));
  return stored_ == keys_.size() ? Step::kDone : Step::kStore;
}

ProgramVotes::Step ProgramVotes::Fail(const std::string& what) {
  reader_.reset();
  problem_ = fmt::format("round {}: the scores of judge.program ({}) cannot be used, and none is stored: {}", round_,
                         context_.config.judge.program[0], what);
  return step_;
}

Status ProgramVotes::Stop(const std::string& reason) { return program_.End(reason); }

}  // namespace srlm::rounds
