#include "trainer/job/inputs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/manifest.h"
#include "common/data/records.h"
#include "common/model/parameters.h"
#include "trainer/batches/tokenize.h"

namespace srlm::trainer {
namespace {

namespace fs = std::filesystem;

/// A folder that is to be made: its parent is there and can be written to.
Status CheckParent(const std::string& folder) {
  const fs::path given = fs::path(folder);
  const fs::path parent = given.parent_path().empty() ? fs::path(".") : given.parent_path();
  std::error_code error;
  if (!fs::is_directory(parent, error))
    return NotFound(fmt::format("{}: its parent folder does not exist; make it first", folder));
  if (access(parent.c_str(), W_OK | X_OK) != 0) return FileError("make the folder", folder, errno);
  return OkStatus();
}

/// --out is made by renaming a finished folder to it; with --save-steps it only gives others their names.
Status CheckOutFolder(const TrainerOptions& options) {
  const std::string& out = options.out;
  std::error_code error;
  if (options.save_steps == 0 && fs::exists(fs::symlink_status(out, error)))
    return {Code::kAlreadyExists, out + ": exists already; choose another folder for --out"};
  return CheckParent(out);
}

Status CheckCheckpointFolder(const std::string& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return CheckParent(folder);
  if (!fs::is_directory(folder, error))
    return InvalidArgument(folder + ": is not a folder; --checkpoint-folder is one");
  if (access(folder.c_str(), W_OK | X_OK) != 0) return FileError("write to the folder", folder, errno);
  return OkStatus();
}

/// No output may replace another, or an input.
Status CheckDistinct(const TrainerOptions& options) {
  std::vector<std::pair<std::string, std::string>> seen;  // real path and flag
  std::vector<std::pair<std::string, std::string>> named = {{"--model", options.model}};
  for (const std::string& path : options.data) named.emplace_back("--data", path);
  for (const std::string& path : options.sft_data) named.emplace_back("--sft-data", path);
  const size_t inputs = named.size();
  if (!options.out.empty()) {
    named.emplace_back("--out", options.out);
    named.emplace_back("--checkpoint-folder", CheckpointFolderOf(options));
  }
  named.emplace_back("--log", options.log);
  named.emplace_back("--print-logprobs", options.print_logprobs);
  for (size_t i = 0; i < named.size(); ++i) {
    const auto& [flag, path] = named[i];
    if (path.empty()) continue;
    std::error_code error;
    const fs::path real = fs::weakly_canonical(path, error);
    const auto same =
        std::ranges::find(seen, error ? path : real.string(), [](const auto& each) { return each.first; });
    if (i >= inputs && same != seen.end()) {
      return InvalidArgument(
          fmt::format("{} and {} are both {}; one would replace the other", same->second, flag, path));
    }
    seen.emplace_back(error ? path : real.string(), flag);
  }
  return OkStatus();
}

Status CheckOutputs(const TrainerOptions& options) {
  SRLM_RETURN_IF_ERROR(CheckDistinct(options));
  if (!options.out.empty()) {
    SRLM_RETURN_IF_ERROR(CheckOutFolder(options));
    SRLM_RETURN_IF_ERROR(CheckCheckpointFolder(CheckpointFolderOf(options)));
  }
  for (const std::string& path : {options.log, options.print_logprobs}) {
    if (!path.empty()) SRLM_RETURN_IF_ERROR(CheckWritable(path));
  }
  return OkStatus();
}

template <typename Row, typename Load>
Result<std::vector<RowsOfFile<Row>>> LoadAll(const std::vector<std::string>& paths, const Load& load) {
  std::vector<RowsOfFile<Row>> all;
  for (const std::string& path : paths) {
    SRLM_ASSIGN_OR_RETURN(std::vector<Row> rows, load(path));
    all.push_back({path, std::move(rows)});
  }
  return all;
}

Result<std::unique_ptr<text::Chat>> LoadChat(const TrainerOptions& options) {
  return text::Chat::Load(
      options.model, options.chat_template,
      options.parse_special_tokens ? text::SpecialTokensInText::kParse : text::SpecialTokensInText::kText);
}

Result<TokenizedData> LoadSft(const TrainerOptions& options, const std::vector<std::string>& paths,
                              const text::Chat& chat, const model::ModelConfig& config) {
  SRLM_ASSIGN_OR_RETURN(const auto judge_template, data::JudgeTemplate::Load(options.judge_template));
  SRLM_ASSIGN_OR_RETURN(const auto files, LoadAll<data::SftRow>(paths, [&](const std::string& path) {
                          return data::LoadSft(path, judge_template);
                        }));
  return TokenizeSft(files, chat, config.context_tokens, config.vocabulary_size);
}

/// Pairs, and the SFT rows that are mixed into their steps after them.
Result<TokenizedData> LoadPairs(const TrainerOptions& options, const text::Chat& chat, const model::ModelConfig& config,
                                int64_t& mixed) {
  SRLM_ASSIGN_OR_RETURN(const auto files, LoadAll<data::PreferenceRow>(options.data, data::LoadPreferences));
  SRLM_ASSIGN_OR_RETURN(TokenizedData data,
                        TokenizePreferences(files, chat, config.context_tokens, config.vocabulary_size));
  if (options.sft_data.empty()) return data;
  auto rows = LoadSft(options, options.sft_data, chat, config);
  if (!rows.ok()) return rows.status().WithContext("--sft-data");
  mixed = static_cast<int64_t>(rows->samples.size());
  std::ranges::move(rows->samples, std::back_inserter(data.samples));
  if (data.too_long == 0) data.first_too_long = rows->first_too_long;
  data.too_long += rows->too_long;
  return data;
}

/// Token ids, and the reference values and uncertain labels that rows bring: a step's result depends on them.
std::string HashSamples(const std::vector<Sample>& samples) {
  std::string all;
  for (const Sample& sample : samples) {
    all += Sha256Tokens(sample.prompt);
    for (const auto& response : sample.responses) all += Sha256Tokens(response);
    if (sample.chosen_probability != 1) all += fmt::format(" p {:a}", sample.chosen_probability);
    if (!sample.reference_logp) continue;
    for (const double value : *sample.reference_logp) all += fmt::format(" {:a}", value);
  }
  return Sha256(all);
}

}  // namespace

Result<JobInputs> ReadInputs(const TrainerOptions& options) {
  SRLM_RETURN_IF_ERROR(CheckOutputs(options));
  JobInputs inputs;
  SRLM_ASSIGN_OR_RETURN(inputs.config, model::ReadModelConfig(options.model));
  SRLM_ASSIGN_OR_RETURN(const auto chat, LoadChat(options));
  SRLM_ASSIGN_OR_RETURN(TokenizedData data, options.method == Method::kDpo
                                                ? LoadPairs(options, *chat, inputs.config, inputs.mixed)
                                                : LoadSft(options, options.data, *chat, inputs.config));
  SRLM_ASSIGN_OR_RETURN(const auto files,
                        model::WeightFiles::Open(options.model, model::MakeParameterTable(inputs.config)));
  inputs.samples = std::move(data.samples);
  inputs.too_long = data.too_long;
  inputs.first_too_long = data.first_too_long;
  inputs.data_sha256 = HashSamples(inputs.samples);
  return inputs;
}

}  // namespace srlm::trainer
