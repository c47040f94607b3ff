#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "common/base/manifest.h"
#include "common/base/saved_steps.h"
#include "coordinator/fsck/run.h"

namespace srlm::fsck {
namespace {

namespace fs = std::filesystem;

constexpr char kModelChanged[] =
    "put a copy of the folder in its place; without one, what later rounds made stands, and the run cannot use the "
    "model any more";

/// What is wrong with a model's folder; empty when its files are those of `model_id`.
std::string Problem(const std::string& folder, const std::string& model_id) {
  const auto manifest = ReadManifest(folder);
  if (!manifest.ok()) return manifest.status().message();
  if (manifest->ModelId() != model_id)
    return fmt::format("its files are those of model {}, and the ledger says {}", manifest->ModelId(), model_id);
  return VerifyManifest(folder, *manifest).message();
}

/// Where the files of a model that a job saved must be: in its folder until another has become the round's model; then
/// nowhere. Empty: nowhere, and nothing is there.
std::string FolderOfSaved(const Run& run, const ledger::ModelRow& row, const std::vector<ledger::JobRow>& jobs,
                          Report& report) {
  const std::string folder = run.folder + "/" + row.folder, output = OutputOf(row.name);
  std::error_code error;
  const bool there = fs::exists(folder, error);
  if (run.models.contains(output)) {
    if (there) report.Add(folder, output + " was chosen, and this is left of what it was chosen from", "delete it");
    return "";
  }
  const auto job = std::ranges::find(jobs, row.job_id, &ledger::JobRow::job_id);
  if (there || job == jobs.end() || job->selected_step < 0) return folder;
  return row.name == SavedName(output, job->selected_step) ? run.folder + "/models/" + output : "";
}

}  // namespace

Status CheckModels(Run& run, Report& report) {
  report.Begin("models");
  RowDigest& digest = run.digests["models"];
  SRLM_ASSIGN_OR_RETURN(const auto jobs, run.ledger.Jobs());
  int looked_at = 0;
  std::string absent;
  for (const auto& [name, row] : run.models) {
    digest.Put(name);
    digest.Put(row.model_id);
    std::string folder = (fs::path(run.folder) / row.folder).string();  // an absolute one stays as it is
    if (!OutputOf(name).empty()) {
      folder = FolderOfSaved(run, row, jobs, report);
      if (folder.empty()) continue;
    }
    std::error_code error;
    if (row.job_id.empty() && !fs::exists(folder, error)) {
      absent += (absent.empty() ? "" : ", ") + name;
      continue;
    }
    ++looked_at;
    const std::string problem = Problem(folder, row.model_id);
    if (!problem.empty()) report.Add(folder, "model " + name + ": " + problem, kModelChanged);
  }
  if (!absent.empty()) report.NotChecked(absent + ": a model from outside the run, which is not on this host");
  report.Counted(fmt::format("{} of {} read and hashed", looked_at, run.models.size()));
  if (!run.done()) return OkStatus();  // a trainer that died may have saved one that it did not live to report
  std::error_code error;
  for (fs::directory_iterator entry(run.folder + "/models", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!run.models.contains(name) && name.find(".tmp.") == std::string::npos)
      report.Add(entry->path().string(), "the run is done, and its ledger has no model of this name",
                 "it is not the run's: delete it");
  }
  return OkStatus();
}

void CheckModelFolders(const std::string& folder, Report& report) {
  report.Begin("models");
  report.NotChecked("whether they are those that the ledger names");
  int looked_at = 0;
  std::error_code error;
  for (fs::directory_iterator entry(folder + "/models", error), end; !error && entry != end; entry.increment(error)) {
    const std::string path = entry->path().string();
    std::error_code missing;
    if (path.find(".tmp.") != std::string::npos || !fs::exists(path + "/" + kManifestFile, missing)) continue;
    ++looked_at;
    const auto manifest = ReadManifest(path);
    const Status status = manifest.ok() ? VerifyManifest(path, *manifest) : manifest.status();
    if (!status.ok()) report.Add(path, status.message(), kModelChanged);
  }
  report.Counted(fmt::format("{} read and hashed", looked_at));
}

}  // namespace srlm::fsck
