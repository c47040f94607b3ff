// Taking a ledger from a process that may still have it open.
#pragma once

#include <string>

#include "common/base/status.h"

namespace srlm::ledger {

/// Puts a copy of the run's ledger in the ledger's place, so that an earlier owner, stopped and gone on again, writes
/// to a file that has no name any more. The copy stands as at the owner's last whole commit. To be called after the
/// owner's lock was taken, and before the ledger is opened: the earlier owner acknowledges nothing that it committed
/// later, since it looks at the lock after each commit. Unavailable when the earlier owner does not stop writing;
/// ResourceExhausted without room for the copy. Nothing happens when there is no ledger.
Status SetLedgerApart(const std::string& run_dir);

}  // namespace srlm::ledger
