#include "coordinator/ledger/tables.h"
#include "coordinator/ledger/write.h"

namespace srlm::ledger {

Status Ledger::SetJob(const JobRow& row) { return Set(row); }

Result<std::optional<JobRow>> Ledger::Job(const std::string& job_id) const {
  return SelectOne<JobRow>(*database_, "WHERE job_id = ?", job_id);
}

Result<std::vector<JobRow>> Ledger::JobsOf(int round) const {
  return Select<JobRow>(*database_, "WHERE round = ?", round);
}

Result<std::vector<JobRow>> Ledger::Jobs() const { return Select<JobRow>(*database_, "ORDER BY round"); }

Status Ledger::SetLaunch(const LaunchRow& row) { return Set(row); }

Result<std::optional<LaunchRow>> Ledger::Launch(const std::string& launch_id) const {
  return SelectOne<LaunchRow>(*database_, "WHERE launch_id = ?", launch_id);
}

Result<std::vector<LaunchRow>> Ledger::OpenLaunches() const {
  return Select<LaunchRow>(*database_, "WHERE end = '' ORDER BY started_ms, launch_id");
}

Result<std::vector<LaunchRow>> Ledger::Launches() const {
  return Select<LaunchRow>(*database_, "ORDER BY started_ms, launch_id");
}

}  // namespace srlm::ledger
