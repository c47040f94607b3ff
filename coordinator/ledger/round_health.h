// The health of a round in figures, all from what the ledger holds.
#pragma once

#include <map>
#include <string>

#include "coordinator/ledger/ledger.h"

namespace srlm::ledger {

/// By name (docs/method.md says what each is); one that is not known yet, or that nothing was measured for, is
/// absent. Those of candidates and votes are the round's own, duplicate_rate once its pairs are made; then follow those
/// of the model that it makes. Cheap: nothing is counted over rows.
Result<std::map<std::string, double>> RoundHealth(const Ledger& ledger, int round);

}  // namespace srlm::ledger
