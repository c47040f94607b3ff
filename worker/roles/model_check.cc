#include "worker/roles/model_check.h"

#include <fmt/format.h>

#include <filesystem>

#include "common/base/manifest.h"

namespace srlm::worker {

Status CheckModel(const std::string& folder, const std::string& model_id, const std::function<void()>& progress) {
  const bool stored = std::filesystem::exists(folder + "/" + kManifestFile);
  SRLM_ASSIGN_OR_RETURN(const Manifest manifest, stored ? ReadManifest(folder) : HashModelFolder(folder, progress));
  if (manifest.ModelId() != model_id) {
    return FailedPrecondition(
        fmt::format("{} is model {}, the run means {}: this host sees other files than the coordinator", folder,
                    manifest.ModelId(), model_id));
  }
  return stored ? VerifyManifest(folder, manifest, progress) : OkStatus();
}

}  // namespace srlm::worker
