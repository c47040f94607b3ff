#include "coordinator/ledger/tables.h"
#include "coordinator/ledger/write.h"

namespace srlm::ledger {

Status Ledger::SetJob(const JobRow& row) { return Set(row); }

Result<std::optional<JobRow>> Ledger::Job(const std::string& job_id) const {
  return SelectOne<JobRow>(*database_, "WHERE job_id = ?", job_id);
}

Result<std::vector<JobRow>> Ledger::Jobs() const { return Select<JobRow>(*database_, "ORDER BY round"); }

Status Ledger::SetLaunch(const LaunchRow& row) { return Set(row); }

Result<std::vector<LaunchRow>> Ledger::Launches() const {
  return Select<LaunchRow>(*database_, "ORDER BY started_ms, launch_id");
}

}  // namespace srlm::ledger
