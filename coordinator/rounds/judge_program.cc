#include "coordinator/rounds/judge_program.h"

#include <fmt/format.h>

#include <filesystem>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "coordinator/launcher/log_tail.h"
#include "coordinator/launcher/session.h"
#include "coordinator/rounds/launches.h"

namespace srlm::rounds {
namespace {

namespace fs = std::filesystem;

constexpr char kProgramName[] = "judge-program";  // in the ledger's launches and in RUN/logs
constexpr size_t kTailLines = 12;
// A program that writes without end would fill the disk: so much, and so much more for each candidate.
constexpr uintmax_t kMostBytes = 16 << 20, kMostBytesEach = 64 << 10;

}  // namespace

std::string JudgeProgramId(const config::JudgeConfig& config) {
  std::string words;
  for (const std::string& word : config.program) (words += word).push_back('\0');
  return "program-" + Sha256(words).substr(0, 16);
}

std::string JudgementFolder(const std::string& run_dir, int round) {
  return fmt::format("{}/judgements/round-{}", run_dir, round);
}

std::string JudgementFact(int round) { return fmt::format("judge_program.{}", round); }

Status JudgeProgram::Start(std::string& problem) {
  const std::string folder = JudgementFolder(context_.run_dir, round_);
  launch_id_ = fmt::format("judge-{}-{}-{}", round_, context_.epoch, ++starts_);
  log_dir_ = LogFolder(context_, kProgramName, launch_id_);
  const auto start = [&](const std::string& name) -> Result<int64_t> {
    std::error_code error;
    fs::remove(folder + "/" + kOutputFile, error);  // of an earlier start
    SRLM_RETURN_IF_ERROR(MakeFolders(log_dir_));
    launcher::ProcessSpec spec{.command = context_.config.judge.program,
                               .environment = launcher::CleanEnvironment(),
                               .output = folder + "/" + kOutputFile,
                               .errors = log_dir_ + "/output.log",
                               .input = folder + "/" + kCandidatesFile,
                               .folder = context_.run_dir};
    spec.environment[launcher::kLaunchVariable] = name;
    auto process = launcher::ProcessGroup::Start(spec);
    if (!process.ok()) {
      if (process.status().code() != Code::kResourceExhausted) problem = process.status().message();
      return process.status();
    }
    process_ = std::move(*process);
    return process_->pid();
  };
  began_ = Clock::now();
  until_ = began_ + std::chrono::duration_cast<Clock::duration>(
                        std::chrono::duration<double>(context_.config.judge.program_timeout_s));
  const Status started = StartRecorded(context_, launch_id_, kProgramName, start);
  if (!problem.empty()) return OkStatus();
  SRLM_RETURN_IF_ERROR(started);
  return context_.Event("info", round_, "launched",
                        fmt::format("{} as {}", context_.config.judge.program[0], launch_id_));
}

Result<JudgeProgram::State> JudgeProgram::Poll(size_t candidates, std::string& problem) {
  const std::string output = JudgementFolder(context_.run_dir, round_) + "/" + kOutputFile;
  std::error_code error;
  const uintmax_t bytes = fs::file_size(output, error), most = kMostBytes + candidates * kMostBytesEach;
  if (const auto exit = process_->Poll()) {
    process_.reset();
    SRLM_RETURN_IF_ERROR(RecordEnd(context_, launch_id_, launcher::ExplainExit(*exit)));
    if (exit->ok()) return State::kEnded;
    problem = exit->signal != 0 ? fmt::format("it was ended by signal {}", exit->signal)
                                : fmt::format("it ended with exit code {}", exit->code);
  } else if (Clock::now() >= until_) {
    problem =
        fmt::format("it has not ended in {} s (judge.program_timeout_s)", context_.config.judge.program_timeout_s);
  } else if (!error && bytes > most) {
    problem = fmt::format("it wrote more than {} bytes to its standard output", most);
  } else {
    return State::kRunning;
  }
  SRLM_RETURN_IF_ERROR(End(problem));
  const auto lines = launcher::LastLines(log_dir_ + "/output.log", kTailLines);
  problem += lines.empty() ? "; nothing on its standard error" : "; the last lines of its standard error";
  problem += fmt::format(" ({}/output.log)", log_dir_);
  for (const std::string& line : lines) problem += "\n  " + line;
  return State::kFailed;
}

Status JudgeProgram::End(const std::string& reason) {
  if (!process_) return OkStatus();
  process_.reset();
  return RecordEnd(context_, launch_id_, reason);
}

Status EndLeftJudgePrograms(const Context& context) {
  SRLM_ASSIGN_OR_RETURN(const auto rows, UnfinishedLaunches(context));
  for (const ledger::LaunchRow& row : rows)
    if (row.program == kProgramName) SRLM_RETURN_IF_ERROR(EndLeftover(context, row, 0));
  return OkStatus();
}

}  // namespace srlm::rounds
