#include "coordinator/rounds/job_files.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/json_file.h"
#include "common/base/manifest.h"
#include "common/base/saved_steps.h"
#include "common/data/jsonl.h"
#include "coordinator/rounds/trainer_command.h"
#include "coordinator/rounds/training_rows.h"

namespace srlm::rounds {
namespace {

Result<int64_t> WriteData(const Context& context, const TrainingJob& job) {
  SRLM_ASSIGN_OR_RETURN(data::JsonlWriter writer, data::JsonlWriter::Create(JobFolder(context, job) + "/data.jsonl"));
  int64_t rows = 0;
  const auto write = [&](const auto& row) {
    ++rows;
    return writer.Write(data::ToJson(row));
  };
  if (job.round == 0) {
    for (const data::SftRow& row : context.inputs.sft) SRLM_RETURN_IF_ERROR(write(row));
  } else if (job.kind == "sft") {
    SRLM_RETURN_IF_ERROR(ForEachGood(context.ledger, job.round, write));
  } else {
    SRLM_RETURN_IF_ERROR(ForEachPreference(context.config, context.ledger, job.round, write));
  }
  SRLM_RETURN_IF_ERROR(writer.Close());
  return rows;
}

/// The seed rows of dpo.mix: IFT rows come first in the inputs.
std::span<const data::SftRow> MixedRows(const Context& context) {
  const std::span<const data::SftRow> all = context.inputs.sft;
  const size_t ift = context.inputs.seeds.size();
  switch (context.config.dpo.mix) {
    case config::Mix::kNone: return {};
    case config::Mix::kEft: return all.subspan(ift);
    case config::Mix::kIft: return all.first(ift);
    case config::Mix::kBoth: return all;
  }
  return {};
}

Status WriteMix(const Context& context, const std::string& path) {
  SRLM_ASSIGN_OR_RETURN(data::JsonlWriter writer, data::JsonlWriter::Create(path));
  for (const data::SftRow& row : MixedRows(context)) SRLM_RETURN_IF_ERROR(writer.Write(data::ToJson(row)));
  return writer.Close();
}

// Of what lies beside the job's model under a longer name, `M2. ...`, what `which` says.
void RemoveModels(const Context& context, const TrainingJob& job, bool (*which)(const std::string& name)) {
  const std::filesystem::path folder = OutputFolder(context, job);
  const std::string prefix = folder.filename().string() + ".";
  std::error_code error;
  std::vector<std::filesystem::path> found;
  std::filesystem::directory_iterator entry(folder.parent_path(), error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(prefix) && which(name)) found.push_back(entry->path());
  }
  for (const auto& path : found) std::filesystem::remove_all(path, error);
}

}  // namespace

bool MixesSft(const Context& context, const TrainingJob& job) {
  return job.kind == "dpo" && context.config.dpo.mix != config::Mix::kNone;
}

TrainingJob JobOf(const config::RunConfig& config, int number) {
  const int round = number - 1;
  const std::string kind = round == 0 || config.pairs.rule == config::PairRule::kPositive ? "sft" : "dpo";
  return {round == 0 ? kind : fmt::format("{}-{}", kind, round), kind, round, fmt::format("M{}", round),
          fmt::format("M{}", number)};
}

bool Selects(const config::RunConfig& config, const std::string& kind) {
  return kind == "dpo" && config.dpo.selection_steps > 0;
}

std::vector<int64_t> SavedStepsOf(const config::RunConfig& config, const ledger::JobRow& row) {
  return SavedSteps(config.dpo.selection_steps, static_cast<int64_t>(row.step));
}

std::string JobFolder(const Context& context, const TrainingJob& job) {
  return context.run_dir + "/jobs/" + job.job_id;
}

std::string OutputFolder(const Context& context, const TrainingJob& job) {
  return context.run_dir + "/models/" + job.output;
}

std::string CheckpointFolder(const Context& context, const TrainingJob& job) {
  return JobFolder(context, job) + "/checkpoints";
}

uint64_t BytesToTrain(const Context& context, const TrainingJob& job) {
  const std::string& folder = context.models.Find(job.input)->folder;
  const auto manifest = ReadManifest(folder);
  const auto config = ReadJsonObject(folder + "/config.json");
  if (!manifest.ok() || !config.ok()) return 0;  // the trainer will say what is wrong with the model
  uint64_t bytes = 0;
  for (const ManifestFile& file : manifest->files)
    if (file.name.ends_with(".safetensors")) bytes += static_cast<uint64_t>(file.bytes);
  const auto says_float32 = [&](const char* key) { return config->contains(key) && config->at(key) == "float32"; };
  if (!says_float32("torch_dtype") && !says_float32("dtype")) bytes *= 2;  // two bytes a weight, four in training
  constexpr uint64_t kPartsOfCheckpoint = 3;                               // weights and two moments
  if (context.config.trainer.checkpoint_steps == 0) return bytes;
  return (kPartsOfCheckpoint + (Selects(context.config, job.kind) ? 1 : 0)) * bytes;
}

Result<JobFiles> WriteJobFiles(const Context& context, const TrainingJob& job) {
  const std::string folder = JobFolder(context, job), path = folder + "/job.json";
  SRLM_RETURN_IF_ERROR(MakeFolders(folder));
  SRLM_RETURN_IF_ERROR(MakeFolders(context.run_dir + "/models"));
  JobFiles files;
  SRLM_ASSIGN_OR_RETURN(files.rows, WriteData(context, job));
  SRLM_ASSIGN_OR_RETURN(const std::string data_sha256, Sha256File(folder + "/data.jsonl"));
  nlohmann::ordered_json json = {{"job_id", job.job_id},
                                 {"kind", job.kind},
                                 {"round", job.round},
                                 {"input", job.input},
                                 {"input_model_id", context.models.Find(job.input)->model_id},
                                 {"output", job.output},
                                 {"rows", files.rows},
                                 {"data_sha256", data_sha256},
                                 {"arguments", MethodArguments(context, job)}};
  if (MixesSft(context, job)) {
    SRLM_RETURN_IF_ERROR(WriteMix(context, folder + "/mix.jsonl"));
    SRLM_ASSIGN_OR_RETURN(json["mix_sha256"], Sha256File(folder + "/mix.jsonl"));
  }
  const std::string text = json.dump(1) + "\n";
  const auto before = ReadFile(path);
  files.as_before = before.ok() && before.value() == text;
  if (files.as_before) return files;
  // Before the new job has a name: what bears it then is its own.
  std::error_code error;
  files.discarded_checkpoints = std::filesystem::remove_all(CheckpointFolder(context, job), error) > 0;
  if (!error) std::filesystem::remove_all(OutputFolder(context, job), error);
  if (error) return FileError("remove what another job left", folder, error.value());
  RemoveModels(context, job, [](const std::string& name) { return !OutputOf(name).empty(); });
  SRLM_RETURN_IF_ERROR(WriteFileAtomic(path, text));
  return files;
}

void RemoveUnfinishedModels(const Context& context, const TrainingJob& job) {
  RemoveModels(context, job, [](const std::string& name) { return name.find(".tmp.") != std::string::npos; });
}

}  // namespace srlm::rounds
