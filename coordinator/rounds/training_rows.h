// The rows that a round trains on, from what the ledger holds.
#pragma once

#include <functional>
#include <vector>

#include "common/config/config.h"
#include "common/data/records.h"
#include "coordinator/ledger/ledger.h"

namespace srlm::rounds {

/// Pairs of earlier rounds that `round`, which made `own` pairs (of judgements, too), trains on besides these: as many
/// as make up pairs.earlier_share of all its rows, or all that there are. Drawn without replacement by the round's own
/// counted stream; in the order of their keys.
Result<std::vector<ledger::PairKey>> EarlierPairs(const config::RunConfig& config, const ledger::Ledger& ledger,
                                                  int round, int64_t own);

/// Gives each preference row of a round's job to `use`: the round's own pairs, its pairs of judgements, then pairs of
/// earlier rounds. A row has
/// the log-probabilities recorded while sampling when the configuration asks for them and the round's model sampled
/// both answers; those of another model are not the reference's, and the trainer computes them.
/// With CREAM's labels, chosen_probability is the mean consistency of the round that made the pair; the order of
/// judgements is certain.
Status ForEachPreference(const config::RunConfig& config, const ledger::Ledger& ledger, int round,
                         const std::function<Status(const data::PreferenceRow& row)>& use);

/// With `pairs.rule: positive`: gives each prompt with a good answer to `use`.
Status ForEachGood(const ledger::Ledger& ledger, int round, const std::function<Status(const data::SftRow& row)>& use);

}  // namespace srlm::rounds
