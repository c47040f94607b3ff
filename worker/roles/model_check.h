// Whether a model folder holds what the run means.
#pragma once

#include <functional>
#include <string>

#include "common/base/status.h"

namespace srlm::worker {

/// Hashes every file of a model folder against the id that it should have. FailedPrecondition when the folder holds
/// another model, DataLoss with the file when its content is not what its manifest says. Reads the whole folder;
/// `progress` is called while it does.
Status CheckModel(const std::string& folder, const std::string& model_id, const std::function<void()>& progress);

}  // namespace srlm::worker
