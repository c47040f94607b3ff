// Training's state on disk: whole, with checksums, or not there.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

namespace srlm::checkpoint {

/// Where a training job stands. With the values it is all that an exact continuation needs: the order of the data is a
/// function of seed and step.
struct TrainingState {
  int64_t step = 0;         // optimiser steps done: the next one to do
  int64_t total_steps = 0;  // of the job
  uint64_t seed = 0;        // of the data order
  std::string model_id;     // the model that the job began with
  std::string data_sha256;  // of all samples' token ids, in order
  std::string settings;     // what else changes a step's result, as one text that is compared

  bool operator==(const TrainingState&) const = default;
};

/// A named flat buffer: weights, first or second moments.
struct Part {
  std::string name;  // also the file's: `<name>.f32`, little-endian float32
  std::span<const float> values;
};
struct MutablePart {
  std::string name;
  std::span<float> values;
};

/// The last checkpoints of one job: `folder`/step-00000012/{checkpoint.json, <part>.f32 ...}.
class CheckpointFolder {
 public:
  /// Keeps the `keep` newest, at least 1. The folder is made at the first Save.
  CheckpointFolder(std::string folder, int keep);

  /// Writes beside, syncs, renames, reads it back against its checksums, and only then deletes the oldest beyond
  /// `keep`. ResourceExhausted without room (nothing half-written stays); returns the new checkpoint's folder.
  Result<std::string> Save(const TrainingState& state, std::span<const Part> parts);

  /// The newest checkpoint that is whole by its checksums. NotFound when there is none; DataLoss when there are some
  /// and every one is torn.
  Result<std::string> NewestWhole() const;

  /// Folders of all checkpoints, oldest first; not verified.
  std::vector<std::string> List() const;

 private:
  std::string folder_;
  int keep_;
};

/// Reads every file against the manifest. DataLoss names the first that differs.
Status Verify(const std::string& checkpoint);

/// The state, and each part into memory of its size. DataLoss when a file does not match its checksum, InvalidArgument
/// when a part is missing or has another size.
Result<TrainingState> Read(const std::string& checkpoint, std::span<const MutablePart> parts);

}  // namespace srlm::checkpoint
