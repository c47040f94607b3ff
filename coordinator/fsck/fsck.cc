#include "coordinator/fsck/fsck.h"

#include <fmt/format.h>

#include <filesystem>
#include <functional>
#include <set>

#include "coordinator/fsck/ledger_reading.h"
#include "coordinator/fsck/run.h"

namespace srlm::fsck {
namespace {

namespace fs = std::filesystem;

void CheckBusyRun(const std::string& folder, Report& report) {
  report.state = "running";
  report.Begin("ledger");
  report.NotChecked("a coordinator has the run: what it holds, its jobs and processes are checked when it is stopped");
  const auto config = config::Load(folder + "/config.yaml");
  CheckModelFolders(folder, report);
  CheckSecrets(folder, config.ok() ? config->security : config::Security::kTls, report);
}

// A check that cannot read the ledger is a finding; the other checks go on.
Status Check(const std::string& name, const std::function<Status()>& check, Report& report) {
  const Status status = check();
  if (status.code() != Code::kDataLoss) return status;
  report.Begin(name);
  report.Add("ledger.sqlite", status.message(), kRowsChanged);
  return OkStatus();
}

void Summarise(Run& run, Report& report) {
  RowDigest all;
  for (auto& [kind, digest] : run.digests) {
    std::string hash = digest.Finish();
    all.Put(kind);
    all.Put(hash);
    report.digest.kinds[kind] = std::move(hash);
  }
  report.digest.all = all.Finish();
}

Status ReadFacts(Run& run, Report& report) {
  SRLM_ASSIGN_OR_RETURN(run.run_id, run.ledger.Fact("run_id"));
  SRLM_ASSIGN_OR_RETURN(run.state, run.ledger.Fact("state"));
  SRLM_ASSIGN_OR_RETURN(report.duplicates, run.ledger.Fact("duplicates"));
  SRLM_ASSIGN_OR_RETURN(run.rounds, run.ledger.Rounds());
  SRLM_ASSIGN_OR_RETURN(const auto models, run.ledger.Models());
  for (const ledger::ModelRow& row : models) run.models[row.name] = row;
  const bool ended = std::set<std::string>{"done", "paused", "ended", "cancelled", "failed"}.contains(run.state);
  report.state = ended ? run.state : "stopped";
  return OkStatus();
}

Status CheckAll(Run& run, Report& report) {
  SRLM_RETURN_IF_ERROR(ReadFacts(run, report));
  using Step = std::pair<const char*, std::function<Status()>>;
  for (const auto& [name, step] :
       {Step{"ledger", [&] { return CheckIntegrity(run, report); }},
        Step{"rounds", [&] { return CheckRounds(run, report); }},
        Step{"new prompts", [&] { return CheckNewPrompts(run, report); }},
        Step{"answers", [&] { return CheckAnswers(run, report); }},
        Step{"meta votes", [&] { return CheckMeta(run, report); }},
        Step{"evaluations", [&] { return CheckEvaluations(run, report); }},
        Step{"answers of evaluations", [&] { return CheckAnswerMeasures(run, report); }},
        Step{"choice of checkpoints", [&] { return CheckSelections(run, report); }},
        Step{"models", [&] { return CheckModels(run, report); }}, Step{"jobs", [&] { return CheckJobs(run, report); }},
        Step{"processes", [&] { return CheckProcesses(run, report); }}})
    SRLM_RETURN_IF_ERROR(Check(name, step, report));
  CheckSecrets(run.folder, run.config.security, report);
  CheckUnfinished(run.folder, run.done() || run.state == "ended", report);
  Summarise(run, report);
  return OkStatus();
}

}  // namespace

Result<Report> CheckRun(const std::string& run_dir) {
  std::error_code error;
  if (!fs::is_directory(run_dir, error)) return NotFound(run_dir + ": no such run folder");
  const std::string folder = fs::canonical(run_dir, error).string();
  Report report;
  report.folder = folder;
  auto reading = LedgerReading::Open(folder);
  if (reading.status().code() == Code::kUnavailable) {
    CheckBusyRun(folder, report);
    return report;
  }
  if (!reading.ok()) return reading.status();
  Run run{.folder = folder,
          .config = {},
          .ledger = (*reading)->ledger(),
          .run_id = {},
          .state = {},
          .models = {},
          .rounds = {},
          .digests = {}};
  auto config = config::Load(folder + "/config.yaml");
  if (!config.ok()) {
    report.Begin("config");
    report.Add(folder + "/config.yaml", config.status().message(),
               "`srlm run CONFIG` with the run's configuration writes it again");
    report.NotChecked("everything else: what must be there follows from the configuration");
    return report;
  }
  run.config = std::move(*config);
  SRLM_RETURN_IF_ERROR(CheckAll(run, report));
  return report;
}

}  // namespace srlm::fsck
