// The table of rounds, counted from the ledger.
#pragma once

#include <vector>

#include "common/base/status.h"
#include "coordinator/ledger/ledger.h"
#include "srlm/v1/run.pb.h"

namespace srlm::ledger {

/// One row a round that began, round 0 (supervised fine-tuning) first; the last row of a run in progress is partial.
Result<std::vector<v1::RoundSummary>> SummariseRounds(const Ledger& ledger);

}  // namespace srlm::ledger
