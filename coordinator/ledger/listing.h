// The ledger's tables as JSON rows, for `srlm inspect` and RunService.List. Fields: docs/formats.md.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"
#include "coordinator/ledger/ledger.h"

namespace srlm::ledger {

struct ListPage {
  std::vector<nlohmann::ordered_json> rows;
  std::string next_page_token;  // empty: the end
};

/// One page of a table: prompts (new ones that were rejected among them), candidates (with their votes), pairs,
/// rounds, events. `round` 0: of all rounds. `limit` 0: 1000. InvalidArgument for a table or token it does not know.
Result<ListPage> List(const Ledger& ledger, std::string_view table, int round, int64_t limit,
                      const std::string& page_token);

}  // namespace srlm::ledger
