// What a model folder is, by content: the name, size and SHA-256 of each of its files.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/base/status.h"

namespace srlm {

struct ManifestFile {
  std::string name;  // relative to the folder
  int64_t bytes = 0;
  std::string sha256;
};

struct Manifest {
  std::vector<ManifestFile> files;  // sorted by name

  /// The model's id everywhere in srlm: the first 16 hexadecimal digits of the SHA-256 of names, sizes and hashes.
  std::string ModelId() const;
};

/// Name of the file that WriteManifest leaves in a folder.
inline constexpr char kManifestFile[] = "srlm_manifest.json";

/// Hashes the files of a model folder that change what the model computes or how text becomes tokens (weights,
/// config, generation config, tokenizer, chat template). NotFound when there is no config.json or no weights.
/// `progress` is called after each MiB.
Result<Manifest> HashModelFolder(const std::string& folder, const std::function<void()>& progress = [] {});

/// Writes the manifest beside the files it describes, atomically. The last step of saving a model.
Status WriteManifest(const std::string& folder, const Manifest& manifest);

/// The stored manifest where there is one, else HashModelFolder. DataLoss when it is no manifest of this folder: an
/// entry that is not a model's file directly in it, a size that differs, a model_id that is not its files'.
Result<Manifest> ReadManifest(const std::string& folder);

/// Reads every file again: DataLoss names the first whose hash differs. `progress` as above.
Status VerifyManifest(
    const std::string& folder, const Manifest& manifest, const std::function<void()>& progress = [] {});

}  // namespace srlm
