#include "coordinator/prepare/worker_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/manifest.h"
#include "common/data/jsonl.h"
#include "coordinator/launcher/file_command.h"

namespace srlm::prepare {
namespace {

constexpr size_t kPartQuestions = 128;  // what is lost at most when the command is stopped

/// What the worker wrote for each question, in the questions' order.
Result<std::vector<std::vector<Written>>> ReadWritten(const std::string& path, std::span<const Question> questions,
                                                      size_t samples) {
  std::unordered_map<std::string, std::vector<Written>> found;
  SRLM_ASSIGN_OR_RETURN(data::JsonlReader reader, data::JsonlReader::Open(path));
  nlohmann::json row;
  while (true) {
    SRLM_ASSIGN_OR_RETURN(const bool more, reader.Next(row));
    if (!more) break;
    const std::string id = row.value("prompt_id", "");
    if (row.contains("error")) {
      found[id].assign(samples, {"", false, row.value("error", "")});
    } else {
      found[id].push_back({row.value("text", ""), row.value("finish_reason", "") == "length", ""});
    }
  }
  std::vector<std::vector<Written>> written;
  for (const Question& question : questions) {
    auto texts = found.find(question.id);
    if (texts == found.end() || texts->second.size() != samples)
      return DataLoss(fmt::format("{}: not what was asked for ('{}'); remove it and start again", path, question.id));
    written.push_back(std::move(texts->second));
  }
  return written;
}

}  // namespace

Result<std::unique_ptr<WorkerFiles>> WorkerFiles::Open(WorkerSettings settings) {
  SRLM_RETURN_IF_ERROR(launcher::CheckProgram(settings.program));
  SRLM_ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(settings.model));
  std::string chat_template;  // of its content, not of its place
  if (!settings.chat_template.empty()) {
    SRLM_ASSIGN_OR_RETURN(chat_template, Sha256File(settings.chat_template));
  }
  SRLM_RETURN_IF_ERROR(MakeFolders(settings.folder));
  return std::unique_ptr<WorkerFiles>(
      new WorkerFiles(std::move(settings), manifest.ModelId(), std::move(chat_template)));
}

std::vector<std::string> WorkerFiles::Arguments(int samples) const {
  return {"--samples",        std::to_string(samples),
          "--seed",           std::to_string(settings_.seed),
          "--temperature",    fmt::format("{}", settings_.temperature),
          "--top-p",          fmt::format("{}", settings_.top_p),
          "--max-new-tokens", std::to_string(settings_.max_new_tokens)};
}

Result<std::vector<std::vector<Written>>> WorkerFiles::Write(std::span<const Question> questions, int samples) {
  std::vector<std::vector<Written>> written;
  const Clock::time_point begin = Clock::now();
  for (size_t at = 0; at < questions.size(); at += kPartQuestions) {
    const auto part = questions.subspan(at, std::min(kPartQuestions, questions.size() - at));
    SRLM_ASSIGN_OR_RETURN(const std::string path, WritePart(part, samples));
    SRLM_ASSIGN_OR_RETURN(auto texts, ReadWritten(path, part, static_cast<size_t>(samples)));
    std::ranges::move(texts, std::back_inserter(written));
    settings_.say(fmt::format("  {} of {} in {:.0f} s", written.size(), questions.size(), SecondsSince(begin)));
  }
  return written;
}

/// The file of what was written for these questions, which an earlier start may have left: its name is a hash of all
/// that decides its content.
Result<std::string> WorkerFiles::WritePart(std::span<const Question> questions, int samples) {
  std::string content;
  for (const Question& question : questions)
    content += nlohmann::json{{"prompt_id", question.id}, {"prompt", question.text}}.dump() + "\n";
  const std::vector<std::string> arguments = Arguments(samples);
  const std::string key =
      Sha256(fmt::format("{}\n{}\n{}\n{}", model_id_, chat_template_sha256_, fmt::join(arguments, " "), content))
          .substr(0, 16);
  const std::string stem = settings_.folder + "/" + key;
  const std::string out = stem + ".written.jsonl";
  std::error_code error;
  if (std::filesystem::exists(out, error)) return out;
  SRLM_RETURN_IF_ERROR(WriteFileAtomic(stem + ".asked.jsonl", content));
  std::vector<std::string> command = {settings_.program,     "generate", "--model", settings_.model, "--prompts",
                                      stem + ".asked.jsonl", "--out",    out};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.insert(command.end(), {"--max-batch", std::to_string(settings_.max_batch)});
  if (settings_.threads > 0) command.insert(command.end(), {"--threads", std::to_string(settings_.threads)});
  if (!settings_.chat_template.empty()) command.insert(command.end(), {"--chat-template", settings_.chat_template});
  const std::string log = stem + ".log";
  const Status ran = launcher::RunFileCommand(
      {.words = std::move(command), .log = log, .stopped = settings_.stopped, .timeout_s = settings_.part_timeout_s});
  if (ran.code() == Code::kAborted) return Aborted("stopped; the same command goes on where it was");
  if (!ran.ok()) return ran.WithContext(log);
  return out;
}

}  // namespace srlm::prepare
