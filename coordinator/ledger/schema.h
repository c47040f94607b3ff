// The ledger's tables, and the steps from older ones to them.
#pragma once

#include "common/base/status.h"
#include "coordinator/ledger/database.h"

namespace srlm::ledger {

/// The version that this program writes (PRAGMA user_version).
inline constexpr int kSchemaVersion = 1;

/// Brings an owned database to kSchemaVersion, each step a transaction; a copy `<path>.v<version>` of an older one
/// is made first. FailedPrecondition when the database is newer than this program.
Status Migrate(Database& database);

}  // namespace srlm::ledger
