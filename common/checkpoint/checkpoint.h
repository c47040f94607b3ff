// Training's state on disk: whole, with checksums, or not there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

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

  bool operator==(const TrainingState&) const = default;
};

/// A named flat buffer: weights, moments, reference values. Its file holds the values as they are in memory
/// (little-endian): `<name>.f32` or `<name>.f64`.
struct Part {
  std::string file;
  std::span<const std::byte> bytes;
};
Part PartOf(const std::string& name, std::span<const float> values);
Part PartOf(const std::string& name, std::span<const double> values);

/// The same, to be read into.
struct MutablePart {
  std::string file;
  std::span<std::byte> bytes;
};
MutablePart MutablePartOf(const std::string& name, std::span<float> values);
MutablePart MutablePartOf(const std::string& name, std::span<double> values);

/// The checkpoint to go on from, and the newer ones that could not be used.
struct Newest {
  std::string path;                  // empty: none is whole
  std::vector<std::string> refused;  // newest first; each names the file that is torn, changed or missing
};

/// The last checkpoints of one job: `folder`/step-00000012/{checkpoint.json, <part> ...}. One process writes to it.
class CheckpointFolder {
 public:
  /// Keeps `keep` checkpoints, at least 1. The folder is made at the first Save; its parent must be there.
  CheckpointFolder(std::string folder, int keep);

  /// Writes beside, syncs, reads it back against its checksums, and takes the step's name; only then older ones go.
  /// Kept are this one and the newest whole others of earlier steps; what is of later steps belongs to a past that this
  /// job has left, and goes. ResourceExhausted without room; after a failure what was there is as it was. Returns the
  /// checkpoint's folder.
  Result<std::string> Save(const TrainingState& state, std::span<const Part> parts);

  /// Nothing that is there now is of this job: the next Save leaves itself alone.
  void ForgetOthers() { forget_others_ = true; }

  /// The newest checkpoint that is whole by its checksums. Tidies up first what a killed Save left.
  Result<Newest> FindNewest();

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

/// Reads every file against the manifest. DataLoss names the first that is missing or differs.
Status Verify(const std::string& checkpoint);

/// The state alone. DataLoss when the manifest is torn.
Result<TrainingState> ReadState(const std::string& checkpoint);

/// The state, and each part into memory of its size. DataLoss when a file does not match its checksum, InvalidArgument
/// when a part is missing or has another size.
Result<TrainingState> Read(const std::string& checkpoint, std::span<const MutablePart> parts);

}  // namespace srlm::checkpoint
