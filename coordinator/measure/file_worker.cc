#include "coordinator/measure/file_worker.h"

#include <stdlib.h>

#include <cerrno>
#include <filesystem>

#include "common/base/file.h"
#include "common/data/jsonl.h"
#include "coordinator/launcher/file_command.h"

namespace srlm::measure {
namespace {

Status WriteRows(const std::string& path, const std::vector<Json>& rows) {
  SRLM_ASSIGN_OR_RETURN(data::JsonlWriter writer, data::JsonlWriter::Create(path));
  for (const Json& row : rows) SRLM_RETURN_IF_ERROR(writer.Write(row));
  return writer.Close();
}

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
  const char* const where = std::getenv("TMPDIR");
  std::string folder = std::string(where == nullptr || *where == '\0' ? "/tmp" : where) + "/srlm-measure-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return FileError("make", folder, errno);
  return std::unique_ptr<FileWorker>(new FileWorker(std::move(options), std::move(folder)));
}

FileWorker::~FileWorker() {
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

Result<std::vector<nlohmann::json>> FileWorker::Run(const NamedModel& model, const std::string& command,
                                                    const std::vector<Json>& rows,
                                                    const std::vector<std::string>& flags) {
  const std::string in = folder_ + "/in.jsonl", out = folder_ + "/out.jsonl", log = folder_ + "/output.log";
  std::error_code error;
  for (const std::string& path : {out, log}) std::filesystem::remove(path, error);
  SRLM_RETURN_IF_ERROR(WriteRows(in, rows));
  std::vector<std::string> words = {
      options_.program, command, "--model", model.folder, command == "generate" ? "--prompts" : "--items", in,
      "--out",          out};
  words.insert(words.end(), flags.begin(), flags.end());
  if (options_.threads > 0) words.insert(words.end(), {"--threads", std::to_string(options_.threads)});
  if (!model.chat_template.empty()) words.insert(words.end(), {"--chat-template", model.chat_template});
  if (model.parse_special_tokens) words.insert(words.end(), {"--special-tokens-in-text", "parse"});

  const Status ran = launcher::RunFileCommand(
      {.words = std::move(words), .ranks = options_.ranks, .log = log, .stopped = options_.stopped});
  if (ran.code() == Code::kFailedPrecondition) return ran.WithContext(model.name);
  SRLM_RETURN_IF_ERROR(ran);
  return ReadRows(out);
}

}  // namespace srlm::measure
