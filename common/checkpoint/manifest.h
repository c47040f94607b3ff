// checkpoint.json: a checkpoint's state and its files, with their checksums and its own.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/checkpoint/checkpoint.h"

namespace srlm::checkpoint {

inline constexpr char kManifestFile[] = "checkpoint.json";

struct Manifest {
  TrainingState state;
  std::vector<FileEntry> files;
};

/// The file's content. It protects itself too: its last key is the hash of the others.
std::string ManifestText(const Manifest& manifest);

/// DataLoss when it is missing, torn or changed, or of another version of the program.
Result<Manifest> ReadManifest(const std::string& checkpoint);

}  // namespace srlm::checkpoint
