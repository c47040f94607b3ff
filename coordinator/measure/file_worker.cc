#include "coordinator/measure/file_worker.h"

#include <filesystem>

#include "common/data/jsonl.h"
#include "coordinator/launcher/file_command.h"

namespace srlm::measure {
namespace {

Result<std::vector<nlohmann::json>> ReadRows(const std::string& path) {
  SRLM_ASSIGN_OR_RETURN(data::JsonlReader reader, data::JsonlReader::Open(path));
  std::vector<nlohmann::json> rows;
  nlohmann::json row;
  while (true) {
    SRLM_ASSIGN_OR_RETURN(const bool more, reader.Next(row));
    if (!more) return rows;
    rows.push_back(std::move(row));
  }
}

}  // namespace

Result<std::unique_ptr<FileWorker>> FileWorker::Make(Options options) {
  SRLM_RETURN_IF_ERROR(launcher::CheckProgram(options.program));
  SRLM_ASSIGN_OR_RETURN(TemporaryFolder folder, TemporaryFolder::Make("srlm-measure"));
  return std::unique_ptr<FileWorker>(new FileWorker(std::move(options), std::move(folder)));
}

Result<std::vector<nlohmann::json>> FileWorker::Run(const NamedModel& model, const std::string& command,
                                                    const std::vector<Json>& rows,
                                                    const std::vector<std::string>& flags) {
  const std::string in = folder_.path() + "/in.jsonl", out = folder_.path() + "/out.jsonl",
                    log = folder_.path() + "/output.log";
  std::error_code error;
  for (const std::string& path : {out, log}) std::filesystem::remove(path, error);
  SRLM_RETURN_IF_ERROR(data::WriteJsonl(in, rows));
  std::vector<std::string> words = {
      options_.program, command, "--model", model.folder, command == "generate" ? "--prompts" : "--items", in,
      "--out",          out};
  words.insert(words.end(), flags.begin(), flags.end());
  if (options_.threads > 0) words.insert(words.end(), {"--threads", std::to_string(options_.threads)});
  const std::vector<std::string> device = config::FlagsOf(options_.device);
  words.insert(words.end(), device.begin(), device.end());
  if (!model.chat_template.empty()) words.insert(words.end(), {"--chat-template", model.chat_template});
  if (model.parse_special_tokens) words.insert(words.end(), {"--special-tokens-in-text", "parse"});

  const Status ran = launcher::RunFileCommand(
      {.words = std::move(words), .ranks = options_.ranks, .log = log, .stopped = options_.stopped});
  if (ran.code() == Code::kFailedPrecondition) return ran.WithContext(model.name);
  SRLM_RETURN_IF_ERROR(ran);
  return ReadRows(out);
}

}  // namespace srlm::measure
