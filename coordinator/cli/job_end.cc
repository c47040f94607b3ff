#include "coordinator/cli/job_end.h"

#include <fmt/format.h>

#include <algorithm>

namespace srlm::cli {

Result<std::unique_ptr<JobEnd>> JobEnd::Make(const config::LauncherConfig& config) {
  SRLM_ASSIGN_OR_RETURN(launcher::SlurmJob job, launcher::ThisSlurmJob());
  return std::unique_ptr<JobEnd>(new JobEnd(std::move(job), config.drain_s));
}

launcher::JobTime JobEnd::Look(Clock::time_point now) {
  clock_.Poll(now);
  seen_ = std::max(seen_, clock_.Time(now));
  return seen_;
}

void JobEnd::Notice() { seen_ = std::max(seen_, launcher::JobTime::kEnding); }

std::string JobEnd::Words(Clock::time_point now) const {
  const auto left_s = clock_.SecondsLeft(now);
  return fmt::format("Slurm job {} ends{}", job_.id, left_s ? fmt::format(" in {:.0f} s", *left_s) : "");
}

}  // namespace srlm::cli
