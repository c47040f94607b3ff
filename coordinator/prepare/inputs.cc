#include "coordinator/prepare/inputs.h"

#include <fmt/format.h>

#include <filesystem>
#include <iterator>
#include <set>
#include <unordered_map>
#include <utility>

#include "common/data/jsonl.h"
#include "common/data/prompt_texts.h"
#include "common/data/records.h"

namespace srlm::prepare {
namespace {

struct Place {
  std::string file;
  size_t prompt;  // in Inputs::prompts
};

/// Adds what a file's rows hold beside what its loader has read of them. `rows`: one each, in their order.
Status AddJson(const std::string& path, std::vector<ReadyRow>& rows) {
  SRLM_ASSIGN_OR_RETURN(data::JsonlReader reader, data::JsonlReader::Open(path));
  for (ReadyRow& row : rows) {
    SRLM_ASSIGN_OR_RETURN(const bool more, reader.Next(row.row));
    if (!more) return DataLoss(path + ": has become shorter while it was read");
    row.where = reader.Where();
  }
  return OkStatus();
}

ReadyRow ToReady(data::SftRow row) {
  ReadyRow ready{.row = {}, .prompt = data::FirstInstruction(row.prompt), .where = "", .answer = row.completion};
  const bool system = !row.prompt.messages.empty() && row.prompt.messages[0].role == "system";
  ready.first_turn = row.prompt.messages.size() <= (system ? 2 : 1);
  bool is_first = true;
  for (const Message& message : row.prompt.messages) {
    if (message.role != "user") continue;
    if (!std::exchange(is_first, false)) ready.later_prompts.push_back(message.content);
  }
  return ready;
}

Result<std::vector<ReadyRow>> ReadIft(const std::string& path) {
  SRLM_ASSIGN_OR_RETURN(auto loaded, data::LoadSft(path, data::JudgeTemplate::BuiltIn()));
  std::vector<ReadyRow> rows;
  rows.reserve(loaded.size());
  for (data::SftRow& row : loaded) rows.push_back(ToReady(std::move(row)));
  SRLM_RETURN_IF_ERROR(AddJson(path, rows));
  for (const ReadyRow& row : rows)
    if (row.row.contains("justification") && !row.row["justification"].is_null())
      return InvalidArgument(row.where + ": is a judgement, a row of EFT; give such rows with --eft");
  return rows;
}

Result<std::vector<ReadyRow>> ReadEft(const std::string& path) {
  SRLM_ASSIGN_OR_RETURN(const auto loaded, data::LoadEft(path));
  std::vector<ReadyRow> rows;
  rows.reserve(loaded.size());
  for (const data::EftRow& row : loaded) {
    ReadyRow ready{.row = {}, .prompt = row.prompt, .where = "", .answer = row.response};
    ready.justification = row.justification;
    ready.score = row.score;
    rows.push_back(std::move(ready));
  }
  SRLM_RETURN_IF_ERROR(AddJson(path, rows));
  for (ReadyRow& row : rows) row.row.emplace("origin", "given");
  return rows;
}

/// Adds a file's prompts. Those that an earlier file has leave: scores of two files say nothing of one another.
Status AddPrompts(const std::string& path, std::vector<data::SourcePrompt> prompts,
                  std::unordered_map<std::string, Place>& places, Inputs& inputs) {
  for (data::SourcePrompt& prompt : prompts) {
    const auto [first, is_new] = places.emplace(prompt.prompt_id, Place{path, inputs.prompts.size()});
    if (is_new) {
      inputs.prompts.push_back(std::move(prompt));
      continue;
    }
    const data::SourcePrompt& known = inputs.prompts[first->second.prompt];
    if (known.prompt != prompt.prompt || known.system != prompt.system)
      return InvalidArgument(fmt::format("{}: prompt '{}' is in {} with another text; ids must differ", path,
                                         prompt.prompt_id, first->second.file));
    inputs.rejects.push_back({"prompt", "duplicate_prompt", prompt.prompt_id, "", "as in " + first->second.file});
  }
  return OkStatus();
}

Status ReadSources(const Options& options, Inputs& inputs) {
  std::unordered_map<std::string, Place> places;  // by prompt id
  std::set<std::string> paths;
  for (const std::string& path : options.sources) {
    std::error_code error;
    if (!paths.insert(std::filesystem::weakly_canonical(path, error).string()).second)
      return InvalidArgument(path + ": is named twice; give each file once");
    SRLM_ASSIGN_OR_RETURN(data::Source source, data::LoadSource(path, options.format));
    SourceCount count{path, std::string(data::SourceFormatName(source.format)), source.rows, 0, 0};
    for (const data::SourcePrompt& prompt : source.prompts) {
      ++count.prompts;
      count.answers += static_cast<int64_t>(prompt.answers.size());
    }
    std::ranges::move(source.rejects, std::back_inserter(inputs.rejects));
    SRLM_RETURN_IF_ERROR(AddPrompts(path, std::move(source.prompts), places, inputs));
    inputs.sources.push_back(std::move(count));
  }
  return OkStatus();
}

}  // namespace

Result<Inputs> ReadInputs(const Options& options) {
  Inputs inputs;
  SRLM_RETURN_IF_ERROR(ReadSources(options, inputs));
  if (!options.ift.empty()) {
    SRLM_ASSIGN_OR_RETURN(inputs.ift, ReadIft(options.ift));
  }
  if (!options.eft.empty()) {
    SRLM_ASSIGN_OR_RETURN(inputs.eft, ReadEft(options.eft));
  }
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
