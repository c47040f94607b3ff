// A run's ledger, opened to be read without a change to any file of the run.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/base/status.h"
#include "common/base/temporary_folder.h"
#include "coordinator/ledger/ledger.h"

namespace srlm::fsck {

class LedgerReading {
 public:
  /// Unavailable while a coordinator has the ledger. Fails as Ledger::OpenReadOnly. Whoever reads a ledger whose writer
  /// was killed has to take its unfinished commit back first, which writes to the file: then a copy is made and read.
  static Result<std::unique_ptr<LedgerReading>> Open(const std::string& run_dir);

  ledger::Ledger& ledger() const { return *ledger_; }

 private:
  LedgerReading() = default;
  Status CopyFrom(const std::string& run_dir);

  std::optional<TemporaryFolder> copy_;  // before the ledger, which is closed first
  std::unique_ptr<ledger::Ledger> ledger_;
};

}  // namespace srlm::fsck
