// A run that nobody works on: its ledger, opened to look.
#pragma once

#include <memory>
#include <string>

#include "coordinator/cli/run_reader.h"
#include "coordinator/ledger/ledger.h"

namespace srlm::cli {

class StoppedRun : public RunReader {
 public:
  /// NotFound when there is no ledger in `run_dir`, Unavailable when a coordinator has it open.
  static Result<std::unique_ptr<StoppedRun>> Open(const std::string& run_dir);

  Result<v1::RunStatus> Status() override;
  Result<RowPage> List(const std::string& table, int round, int limit, const std::string& page_token) override;

 private:
  StoppedRun(std::string run_dir, std::unique_ptr<ledger::Ledger> ledger)
      : run_dir_(std::move(run_dir)), ledger_(std::move(ledger)) {}
  std::string run_dir_;
  std::unique_ptr<ledger::Ledger> ledger_;
};

}  // namespace srlm::cli
