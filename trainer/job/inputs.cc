#include "trainer/job/inputs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/manifest.h"
#include "common/data/records.h"
#include "common/model/parameters.h"
#include "trainer/batches/tokenize.h"

namespace srlm::trainer {
namespace {

namespace fs = std::filesystem;

/// --out is made by renaming a finished folder to it.
Status CheckOutFolder(const std::string& out) {
  if (fs::exists(out)) return {Code::kAlreadyExists, out + ": exists already; choose another folder for --out"};
  const fs::path given = fs::path(out);
  const fs::path parent = given.parent_path().empty() ? fs::path(".") : given.parent_path();
  if (!fs::is_directory(parent))
    return NotFound(fmt::format("{}: its parent folder does not exist; make it first", out));
  if (access(parent.c_str(), W_OK | X_OK) != 0) return FileError("make the folder", out, errno);
  return OkStatus();
}

Status CheckOutputs(const TrainerOptions& options) {
  if (!options.out.empty()) SRLM_RETURN_IF_ERROR(CheckOutFolder(options.out));
  for (const std::string& path : {options.log, options.print_logprobs}) {
    if (!path.empty()) SRLM_RETURN_IF_ERROR(CheckWritable(path));
  }
  return OkStatus();
}

template <typename Row, typename Load>
Result<std::vector<Row>> LoadAll(const std::vector<std::string>& paths, const Load& load) {
  std::vector<Row> all;
  for (const std::string& path : paths) {
    SRLM_ASSIGN_OR_RETURN(std::vector<Row> rows, load(path));
    all.insert(all.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
  }
  return all;
}

Result<std::unique_ptr<text::Chat>> LoadChat(const TrainerOptions& options) {
  return text::Chat::Load(
      options.model, options.chat_template,
      options.parse_special_tokens ? text::SpecialTokensInText::kParse : text::SpecialTokensInText::kText);
}

Result<TokenizedData> LoadSamples(const TrainerOptions& options, const model::ModelConfig& config) {
  const int64_t context = config.context_tokens, vocabulary = config.vocabulary_size;
  if (options.method == Method::kDpo) {
    SRLM_ASSIGN_OR_RETURN(const auto rows, LoadAll<data::PreferenceRow>(options.data, data::LoadPreferences));
    SRLM_ASSIGN_OR_RETURN(const auto chat, LoadChat(options));
    return TokenizePreferences(rows, *chat, context, vocabulary);
  }
  SRLM_ASSIGN_OR_RETURN(const auto judge_template, data::JudgeTemplate::Load(options.judge_template));
  SRLM_ASSIGN_OR_RETURN(const auto rows, LoadAll<data::SftRow>(options.data, [&](const std::string& path) {
                          return data::LoadSft(path, judge_template);
                        }));
  SRLM_ASSIGN_OR_RETURN(const auto chat, LoadChat(options));
  return TokenizeSft(rows, *chat, context, vocabulary);
}

std::string HashSamples(const std::vector<Sample>& samples) {
  std::string all;
  for (const Sample& sample : samples) {
    all += Sha256Tokens(sample.prompt);
    for (const auto& response : sample.responses) all += Sha256Tokens(response);
  }
  return Sha256(all);
}

}  // namespace

Result<JobInputs> ReadInputs(const TrainerOptions& options) {
  SRLM_RETURN_IF_ERROR(CheckOutputs(options));
  JobInputs inputs;
  SRLM_ASSIGN_OR_RETURN(inputs.config, model::ReadModelConfig(options.model));
  SRLM_ASSIGN_OR_RETURN(TokenizedData data, LoadSamples(options, inputs.config));
  SRLM_ASSIGN_OR_RETURN(const auto files,
                        model::WeightFiles::Open(options.model, model::MakeParameterTable(inputs.config)));
  inputs.samples = std::move(data.samples);
  inputs.too_long = data.too_long;
  inputs.first_too_long = data.first_too_long;
  inputs.data_sha256 = HashSamples(inputs.samples);
  return inputs;
}

}  // namespace srlm::trainer
