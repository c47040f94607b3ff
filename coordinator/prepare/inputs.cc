#include "coordinator/prepare/inputs.h"

#include <fmt/format.h>

#include <filesystem>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "common/data/jsonl.h"
#include "common/data/prompt_texts.h"
#include "common/data/records.h"

namespace srlm::prepare {
namespace {

/// The rows of a file that its loader has accepted; `prompts` has what each asks, in their order.
Result<std::vector<ReadyRow>> ReadReady(const std::string& path, const std::vector<std::string>& prompts) {
  SRLM_ASSIGN_OR_RETURN(data::JsonlReader reader, data::JsonlReader::Open(path));
  std::vector<ReadyRow> rows;
  for (const std::string& prompt : prompts) {
    ReadyRow row;
    SRLM_ASSIGN_OR_RETURN(const bool more, reader.Next(row.row));
    if (!more) return DataLoss(path + ": has become shorter while it was read");
    row.prompt = prompt;
    row.where = reader.Where();
    rows.push_back(std::move(row));
  }
  return rows;
}

Status ReadSources(const Options& options, Inputs& inputs) {
  std::unordered_map<std::string, std::string> files;  // prompt id -> its file
  for (const std::string& path : options.sources) {
    SRLM_ASSIGN_OR_RETURN(data::Source source, data::LoadSource(path, options.format));
    SourceCount count{path, std::string(data::SourceFormatName(source.format)), source.rows, 0, 0};
    for (data::SourcePrompt& prompt : source.prompts) {
      const auto [file, is_new] = files.emplace(prompt.prompt_id, path);
      if (!is_new)
        return InvalidArgument(fmt::format("{}: prompt '{}' is in {} too; give each file once, or make the ids differ",
                                           path, prompt.prompt_id, file->second));
      ++count.prompts;
      count.answers += static_cast<int64_t>(prompt.answers.size());
      inputs.prompts.push_back(std::move(prompt));
    }
    std::ranges::move(source.rejects, std::back_inserter(inputs.rejects));
    inputs.sources.push_back(std::move(count));
  }
  return OkStatus();
}

Status ReadReadyMade(const Options& options, Inputs& inputs) {
  std::vector<std::string> prompts;
  if (!options.ift.empty()) {
    SRLM_ASSIGN_OR_RETURN(const auto rows, data::LoadSft(options.ift, data::JudgeTemplate::BuiltIn()));
    for (const data::SftRow& row : rows) prompts.push_back(data::FirstInstruction(row.prompt));
    SRLM_ASSIGN_OR_RETURN(inputs.ift, ReadReady(options.ift, std::exchange(prompts, {})));
  }
  if (!options.eft.empty()) {
    SRLM_ASSIGN_OR_RETURN(const auto rows, data::LoadEft(options.eft));
    for (const data::EftRow& row : rows) prompts.push_back(row.prompt);
    SRLM_ASSIGN_OR_RETURN(inputs.eft, ReadReady(options.eft, prompts));
    for (ReadyRow& row : inputs.eft) row.row.emplace("origin", "given");
  }
  return OkStatus();
}

}  // namespace

Result<Inputs> ReadInputs(const Options& options) {
  Inputs inputs;
  SRLM_RETURN_IF_ERROR(ReadSources(options, inputs));
  SRLM_RETURN_IF_ERROR(ReadReadyMade(options, inputs));
  for (const std::string& path : options.evaluation) {
    const std::string name = std::filesystem::path(path).filename().string();
    SRLM_ASSIGN_OR_RETURN(const auto texts, data::LoadPromptTexts(path));
    inputs.evaluation_prompts += static_cast<int64_t>(texts.size());
    for (size_t i = 0; i < texts.size(); ++i)
      inputs.evaluation.Add(texts[i], fmt::format("prompt {} of {}", i + 1, name));
  }
  return inputs;
}

}  // namespace srlm::prepare
