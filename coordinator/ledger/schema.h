// The ledger's tables, and the steps from older ones to them.
#pragma once

#include "common/base/status.h"
#include "coordinator/ledger/database.h"

namespace srlm::ledger {

/// The version that this program writes (PRAGMA user_version), and the oldest that it brings up to date.
inline constexpr int kSchemaVersion = 5;
inline constexpr int kOldestVersion = 2;

/// FailedPrecondition, with what to do, when the database is too old or too new for this program.
Status CheckVersion(const Database& database, int version);

/// Brings an owned database to kSchemaVersion, each step a transaction; a copy `<path>.v<version>` of an older one
/// is made first. FailedPrecondition as CheckVersion.
Status Migrate(Database& database);

}  // namespace srlm::ledger
