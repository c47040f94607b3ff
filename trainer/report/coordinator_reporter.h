// Progress of a job to its run's coordinator, over gRPC. gRPC's headers stay in the source file.
#pragma once

#include <memory>
#include <string>

#include "common/base/status.h"
#include "trainer/job/reporter.h"

namespace srlm::trainer {

/// Reports launch `launch_id` of job `job_id` to the coordinator that RUN/coordinator.json names; read again whenever
/// nobody answers, as another coordinator may have taken the run. Unavailable when nobody answers within 10 s now.
Result<std::unique_ptr<Reporter>> ConnectToCoordinator(const std::string& run_dir, const std::string& job_id,
                                                       const std::string& launch_id);

}  // namespace srlm::trainer
