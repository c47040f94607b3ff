// Whether a run's folder holds what a run must hold, each thing once.
#pragma once

#include <string>

#include "common/base/status.h"
#include "coordinator/fsck/report.h"

namespace srlm::fsck {

/// Reads everything in `run_dir` and says what is not as it must be. Writes nothing into it and needs no lock; a ledger
/// whose coordinator was killed in the middle of a commit is read from a copy in the folder for temporary files. While
/// a coordinator has the run, only keys and finished models are checked, and there is no digest. Memory: the rows of 64
/// prompts.
///
/// NotFound when there is no run; FailedPrecondition when another version wrote the ledger; Unavailable when a
/// coordinator takes the run meanwhile.
Result<Report> CheckRun(const std::string& run_dir);

}  // namespace srlm::fsck
