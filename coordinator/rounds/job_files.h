// What a training job is and reads: RUN/jobs/<job>/job.json, data.jsonl, and mix.jsonl where seed rows are mixed in.
#pragma once

#include <string>
#include <vector>

#include "coordinator/rounds/context.h"

namespace srlm::rounds {

/// A step of the loop that makes a model.
struct TrainingJob {
  std::string job_id;  // sft; dpo-1, ... or sft-1, ...
  std::string kind;    // sft, dpo
  int round = 0;
  std::string input;   // model that is trained: "M0"
  std::string output;  // model that comes out: "M1"
};

/// The job that makes M<number>: supervised fine-tuning of M0, then DPO; with `pairs.rule: positive` always the former.
TrainingJob JobOf(const config::RunConfig& config, int number);

/// Whether a job of this kind saves its model on its way, for the round's to be chosen among these.
bool Selects(const config::RunConfig& config, const std::string& kind);

/// The steps after which a job saved its model, by its row with all steps done; Selects.
std::vector<int64_t> SavedStepsOf(const config::RunConfig& config, const ledger::JobRow& row);

/// Folder of the job's files, of the model that it makes, and of its checkpoints; absolute.
std::string JobFolder(const Context& context, const TrainingJob& job);
std::string OutputFolder(const Context& context, const TrainingJob& job);
std::string CheckpointFolder(const Context& context, const TrainingJob& job);

/// About what the job's disk must take at its next checkpoint, or for the model of a job that writes none; with the
/// model that is saved there on the way.
uint64_t BytesToTrain(const Context& context, const TrainingJob& job);

/// What WriteJobFiles wrote.
struct JobFiles {
  int64_t rows = 0;
  bool as_before = false;              // the very job was there already: what an earlier launch made of it is its work
  bool discarded_checkpoints = false;  // those of another job under its name
};

/// Whether seed rows are mixed into the job's steps.
bool MixesSft(const Context& context, const TrainingJob& job);

/// Writes data.jsonl, mix.jsonl and job.json. Round 0: the seed rows as text. Later: the rows of ForEachPreference, or
/// of ForEachGood with `pairs.rule: positive`; mix.jsonl has the seed rows that dpo.mix names, as SFT has them.
Result<JobFiles> WriteJobFiles(const Context& context, const TrainingJob& job);

/// Removes what a killed trainer left beside the model that it was saving.
void RemoveUnfinishedModels(const Context& context, const TrainingJob& job);

}  // namespace srlm::rounds
