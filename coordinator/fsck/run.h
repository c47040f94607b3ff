// A run that is checked: what every check needs to know about it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/config/config.h"
#include "coordinator/fsck/report.h"
#include "coordinator/fsck/row_digest.h"
#include "coordinator/ledger/ledger.h"

namespace srlm::fsck {

struct Run {
  std::string folder;  // absolute
  config::RunConfig config;
  ledger::Ledger& ledger;  // opened to look
  std::string run_id;
  std::string state;                               // the ledger's: running after a kill
  std::map<std::string, ledger::ModelRow> models;  // by name
  std::vector<ledger::RoundRow> rounds;
  std::map<std::string, RowDigest> digests;  // by kind, as far as rows were read

  bool done() const { return state == "done"; }
  /// The number of the newest model that was trained; 0 before M1.
  int Newest() const;
  /// The id of a model by name; empty when the ledger has none.
  std::string ModelId(const std::string& name) const;
  std::string JudgeOf(int round) const;   // name of the model that judges in it
  std::string WriterOf(int round) const;  // that writes its new prompts
  const ledger::RoundRow* Round(int round) const;
  /// Whether the ledger has an event of this name in a round.
  Result<bool> HasEvent(int round, const std::string& event) const;
};

// The checks, each in a file of its own. They fail when the ledger cannot be read.

/// SQLite's own check of the file.
Status CheckIntegrity(const Run& run, Report& report);
/// Rounds, models and jobs stand in an order in which a coordinator can have left them.
Status CheckRounds(const Run& run, Report& report);
/// Attempts at new prompts, and the prompts that came of them.
Status CheckNewPrompts(Run& run, Report& report);
/// Prompts, candidates, votes, pairs and the rounds' counts.
Status CheckAnswers(Run& run, Report& report);
/// Comparisons of judgements and the pairs that follow from them.
Status CheckMeta(Run& run, Report& report);
/// Judgements of the human-ranked answers.
Status CheckEvaluations(Run& run, Report& report);
/// Models' own answers, their comparisons, and held-out answers.
Status CheckAnswerMeasures(Run& run, Report& report);
/// The models that jobs saved: their answers, the comparisons, and which of them was chosen.
Status CheckSelections(Run& run, Report& report);
/// Folders of models against the ids that the ledger has.
Status CheckModels(Run& run, Report& report);
/// Training jobs: their files and checkpoints.
Status CheckJobs(const Run& run, Report& report);
/// Processes and launches that are left.
Status CheckProcesses(const Run& run, Report& report);

// These look at files alone.

void CheckSecrets(const std::string& folder, config::Security security, Report& report);
/// Files that were not written to their end, and results that nobody took of a run that is done.
void CheckUnfinished(const std::string& folder, bool done, Report& report);
/// Models in the run's folder by their own manifests, for a run whose ledger cannot be read.
void CheckModelFolders(const std::string& folder, Report& report);

}  // namespace srlm::fsck
