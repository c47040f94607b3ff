// Whether a model folder holds what the run means.
#pragma once

#include <functional>

#include "common/base/status.h"
#include "srlm/v1/work.pb.h"

namespace srlm::worker {

/// Hashes every file of the model's folder against its id. FailedPrecondition when the folder holds another model,
/// DataLoss with the file when its content is not what its manifest says. Reads the whole folder; `progress` is called
/// while it does.
Status CheckModel(const v1::ModelRef& model, const std::function<void()>& progress);

}  // namespace srlm::worker
