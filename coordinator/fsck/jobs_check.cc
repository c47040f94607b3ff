#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/base/hash.h"
#include "common/base/json_file.h"
#include "common/checkpoint/checkpoint.h"
#include "common/data/jsonl.h"
#include "coordinator/fsck/run.h"
#include "coordinator/rounds/job_files.h"
#include "coordinator/rounds/training_rows.h"

namespace srlm::fsck {
namespace {

std::string RowOf(const ledger::JobRow& row) { return "jobs, " + row.job_id; }

// The row against the models, and against the pairs that the job trained on.
Status CheckRow(const Run& run, const ledger::JobRow& row, Report& report) {
  const rounds::TrainingJob job = rounds::JobOf(run.config, row.round + 1);
  const auto model = run.models.find(row.output_model);
  const bool made = model != run.models.end();
  if (row.job_id != job.job_id || row.kind != job.kind || row.output_model != job.output)
    report.Add(RowOf(row), fmt::format("it is no job of round {}", row.round), kRowsChanged);
  if (row.state != "running" && row.state != "selecting" && row.state != "done" && row.state != "failed")
    report.Add(RowOf(row), "its state is \"" + row.state + "\", which there is none of", kRowsChanged);
  if (row.state == "done" && !made)
    report.Add(RowOf(row), "it is done, and its model " + row.output_model + " is not in the ledger", kRowsChanged);
  if (row.state != "done" && made)
    report.Add(RowOf(row), fmt::format("it is {}, and its model {} is there", row.state, row.output_model),
               kRowsChanged);
  if (made && model->second.job_id != row.job_id)
    report.Add(RowOf(row), fmt::format("its model was made by job {}", model->second.job_id), kRowsChanged);
  if (row.state == "failed" && row.message.empty()) report.Add(RowOf(row), "it failed without a message", kRowsChanged);
  if (row.round == 0 || row.state != "done") return OkStatus();
  for (const char* check : {"new prompts", "prompts", "candidates", "votes", "pairs"})
    if (report.FoundIn(check) > 0) return OkStatus();  // said there
  int64_t rows = 0;
  Sha256Stream stream;
  const auto add = [&](const auto& each) {
    ++rows;
    stream.Add(data::JsonLine(data::ToJson(each)));
    return OkStatus();
  };
  SRLM_RETURN_IF_ERROR(row.kind == "sft" ? rounds::ForEachGood(run.ledger, row.round, add)
                                         : rounds::ForEachPreference(run.config, run.ledger, row.round, add));
  if (rows != row.rows)
    report.Add(RowOf(row), fmt::format("it trained on {} rows, and its round's pairs give {}", row.rows, rows),
               kRowsChanged);
  const auto json = ReadJsonObject(run.folder + "/jobs/" + row.job_id + "/job.json");
  if (rows == row.rows && json.ok() && json->value("data_sha256", std::string()) != stream.Finish())
    report.Add(RowOf(row), "what it trained on is not what its round's pairs give", kRowsChanged);
  return OkStatus();
}

// What a finished job was made from stays as it was. That of an unfinished one is written anew when it goes on.
void CheckFiles(const Run& run, const ledger::JobRow& row, Report& report) {
  const std::string folder = run.folder + "/jobs/" + row.job_id;
  const std::string remedy = "the model stands; what it was trained on can no longer be shown from these files";
  const auto json = ReadJsonObject(folder + "/job.json");
  if (!json.ok()) return report.Add(folder + "/job.json", json.status().message(), remedy);
  const auto text = [&](const char* key) { return json->value(key, std::string()); };
  const std::string input = run.ModelId(fmt::format("M{}", row.round));
  if (text("input_model_id") != input)
    report.Add(folder + "/job.json",
               fmt::format("it began with model {}, and M{} is {}", text("input_model_id"), row.round, input), remedy);
  const auto check = [&](const std::string& path, const char* key) {
    const auto hash = Sha256File(path);
    if (!hash.ok() || *hash != text(key))
      report.Add(path, hash.ok() ? "its SHA-256 is not the one in job.json" : hash.status().message(), remedy);
  };
  check(folder + "/data.jsonl", "data_sha256");
  if (json->contains("mix_sha256")) check(folder + "/mix.jsonl", "mix_sha256");
}

Result<int> CheckCheckpoints(const Run& run, const ledger::JobRow& row, Report& report) {
  checkpoint::CheckpointFolder folder(run.folder + "/jobs/" + row.job_id + "/checkpoints",
                                      run.config.trainer.keep_checkpoints);
  SRLM_ASSIGN_OR_RETURN(const auto paths, folder.List());
  for (const std::string& path : paths) {
    const Status status = checkpoint::Verify(path);
    if (!status.ok())
      report.Add(path, status.message(),
                 row.state == "done" ? "the job is done and needs it no more: delete it"
                                     : "delete it: the job goes on from the one before, or begins anew");
  }
  return static_cast<int>(paths.size());
}

}  // namespace

Status CheckJobs(const Run& run, Report& report) {
  report.Begin("jobs");
  SRLM_ASSIGN_OR_RETURN(const auto rows, run.ledger.Jobs());
  int done = 0, checkpoints = 0;
  for (const ledger::JobRow& row : rows) {
    SRLM_RETURN_IF_ERROR(CheckRow(run, row, report));
    if (row.state == "done") CheckFiles(run, row, report);
    done += row.state == "done";
    const Result<int> of_job = CheckCheckpoints(run, row, report);
    if (!of_job.ok()) report.Add(run.folder + "/jobs/" + row.job_id, of_job.status().message(), "look at the folder");
    if (of_job.ok()) checkpoints += *of_job;
  }
  for (const auto& [name, model] : run.models) {
    if (model.job_id.empty() || std::ranges::find(rows, model.job_id, &ledger::JobRow::job_id) != rows.end()) continue;
    report.Add("models, " + name, "job " + model.job_id + ", which made it, is not in the ledger", kRowsChanged);
  }
  report.Counted(fmt::format("{} of {} done, {} checkpoints read and hashed", done, rows.size(), checkpoints));
  return OkStatus();
}

}  // namespace srlm::fsck
