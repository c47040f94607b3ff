#include "coordinator/cli/stopped_run.h"

#include <cstdlib>
#include <filesystem>
#include <set>

#include "coordinator/ledger/listing.h"
#include "coordinator/ledger/round_summary.h"

namespace srlm::cli {
namespace {

constexpr int64_t kLastErrors = 5;

}  // namespace

Result<std::unique_ptr<StoppedRun>> StoppedRun::Open(const std::string& run_dir) {
  SRLM_ASSIGN_OR_RETURN(auto ledger, ledger::Ledger::OpenReadOnly(run_dir));
  return std::unique_ptr<StoppedRun>(new StoppedRun(run_dir, std::move(ledger)));
}

Result<v1::RunStatus> StoppedRun::Status() {
  v1::RunStatus status;
  SRLM_ASSIGN_OR_RETURN(*status.mutable_run_id(), ledger_->Fact("run_id"));
  SRLM_ASSIGN_OR_RETURN(*status.mutable_name(), ledger_->Fact("name"));
  SRLM_ASSIGN_OR_RETURN(*status.mutable_version(), ledger_->Fact("version"));
  SRLM_ASSIGN_OR_RETURN(*status.mutable_state(), ledger_->Fact("state"));
  SRLM_ASSIGN_OR_RETURN(*status.mutable_message(), ledger_->Fact("message"));
  SRLM_ASSIGN_OR_RETURN(const std::string epoch, ledger_->Fact("epoch"));
  SRLM_ASSIGN_OR_RETURN(const std::string duplicates, ledger_->Fact("duplicates"));
  status.set_epoch(std::strtoull(epoch.c_str(), nullptr, 10));
  status.set_duplicates(std::strtoull(duplicates.c_str(), nullptr, 10));
  status.set_folder(std::filesystem::absolute(run_dir_).lexically_normal().string());
  if (!std::set<std::string>{"done", "paused", "ended", "cancelled", "failed"}.contains(status.state())) {
    status.set_state("stopped");
    if (status.message().empty()) {
      status.set_message("no coordinator works on it; `srlm run CONFIG --run-dir " + run_dir_ + "` goes on with it");
    }
  }
  SRLM_ASSIGN_OR_RETURN(const auto rounds, ledger::SummariseRounds(*ledger_));
  for (const v1::RoundSummary& round : rounds) *status.add_rounds() = round;
  if (!rounds.empty()) status.set_round(rounds.back().round());
  SRLM_ASSIGN_OR_RETURN(const auto errors, ledger_->LastErrors(kLastErrors));
  for (const std::string& error : errors) status.add_last_errors(error);
  return status;
}

Result<RowPage> StoppedRun::List(const std::string& table, int round, int limit, const std::string& page_token) {
  SRLM_ASSIGN_OR_RETURN(ledger::ListPage page, ledger::List(*ledger_, table, round, limit, page_token));
  return RowPage{.rows = std::move(page.rows), .next_page_token = std::move(page.next_page_token)};
}

}  // namespace srlm::cli
