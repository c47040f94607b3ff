// Training's state on disk: whole, with checksums, or not there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "common/base/status.h"

namespace srlm::checkpoint {

/// Which job a checkpoint is of: all that a step's result depends on, beside the values and the step's number.
struct JobIdentity {
  std::string model_id;                         // the model that the job began with
  std::string data_sha256;                      // of all samples, in order
  std::map<std::string, std::string> settings;  // name and value: learning_rate, seed, ranks, ...

  bool operator==(const JobIdentity&) const = default;
};

/// The first thing in which two jobs differ, for people: `learning_rate is 1e-05 there and 2e-05 now`. Empty when they
/// are the same.
std::string Difference(const JobIdentity& there, const JobIdentity& now);

/// Where a training job stands. With the values it is all that an exact continuation needs.
struct TrainingState {
  JobIdentity identity;
  int64_t step = 0;              // optimiser steps done: the number of the next one
  int64_t tokens = 0;            // computed so far on all ranks, each step once
  double seconds = 0;            // of these steps
  double reference_seconds = 0;  // of the reference pass
  double first_loss = 0;         // of step 0
  // How the values stand in files (shards.h).
  int64_t shards = 1;          // files of each kind of value, one a rank that wrote them
  int64_t shard_multiple = 1;  // elements: of every piece of a shard

  bool operator==(const TrainingState&) const = default;
};

/// What one file holds, as it is in memory (little-endian): stretches one after the other. Its name ends in `.f32` or
/// `.f64`.
struct Part {
  std::string file;
  std::vector<std::span<const std::byte>> stretches;
};
Part PartOf(const std::string& name, std::span<const float> values);
Part PartOf(const std::string& name, std::span<const double> values);

/// A file of a checkpoint.
struct FileEntry {
  std::string name;
  size_t bytes = 0;
  std::string sha256;
};

/// The checkpoint to go on from, and the newer ones that could not be used.
struct Newest {
  std::string path;                  // empty: none is whole
  std::vector<std::string> refused;  // newest first; each names the file that is torn, changed or missing
};

/// The last checkpoints of one job: `folder`/step-00000012/{checkpoint.json, <part> ...}. One process calls it: of a
/// job of several ranks rank 0, and the others only WriteParts, between its Begin and its Finish.
class CheckpointFolder {
 public:
  /// Keeps `keep` checkpoints, at least 1. The folder is made at the first Begin; its parent must be there.
  CheckpointFolder(std::string folder, int keep);

  /// Makes the folder beside in which the parts of a step's checkpoint are written. ResourceExhausted without room.
  Status Begin(int64_t step);
  /// That folder.
  std::string Beside(int64_t step) const;
  /// The files are written, those of all ranks: takes the step's name; only then older ones go. Kept are this one and
  /// the newest whole others of earlier steps; what is of later steps belongs to a past that this job has left, and
  /// goes. After a failure what was there is as it was. Returns the checkpoint's folder.
  Result<std::string> Finish(const TrainingState& state, std::vector<FileEntry> files);
  /// After a failure between the two: nothing of it stays.
  void Abandon(int64_t step) const;

  /// All of these, for one process that has everything.
  Result<std::string> Save(const TrainingState& state, std::span<const Part> parts);

  /// Nothing that is there now is of this job: the next Save leaves itself alone.
  void ForgetOthers() { forget_others_ = true; }

  /// The newest checkpoint that is whole by its checksums, as `verify` says; null: Verify. Tidies up first what a
  /// killed Save left.
  Result<Newest> FindNewest(const std::function<Status(const std::string& checkpoint)>& verify = nullptr);

  /// Folders of all checkpoints, oldest first; not verified. Fails when the folder cannot be read.
  Result<std::vector<std::string>> List() const;

 private:
  Status TidyUp() const;
  Status Install(const std::string& beside, const std::string& path) const;
  Status Prune(const std::string& newest);

  std::string folder_;
  int keep_;
  bool forget_others_ = false;
  std::vector<std::string> whole_;  // folders that this object has written or verified
};

/// Writes files into the folder beside, syncs them, and reads them back against their checksums.
Result<std::vector<FileEntry>> WriteParts(const std::string& beside, std::span<const Part> parts);

/// Reads this rank's share of the files, every `ranks`-th, against the manifest. DataLoss names the first that is
/// missing or differs.
Status Verify(const std::string& checkpoint, int rank = 0, int ranks = 1);

/// The state alone. DataLoss when the manifest is torn.
Result<TrainingState> ReadState(const std::string& checkpoint);

/// One file of a checkpoint that was verified.
class PartFile {
 public:
  /// InvalidArgument when it is not there or has another size than `bytes`: it is another model's.
  static Result<PartFile> Open(const std::string& checkpoint, const std::string& file, size_t bytes);
  void Read(size_t offset, std::span<std::byte> out) const;

 private:
  explicit PartFile(MappedFile file) : file_(std::move(file)) {}
  MappedFile file_;
};

}  // namespace srlm::checkpoint
