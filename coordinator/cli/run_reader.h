// A run as status, inspect and export read it: over gRPC while its coordinator lives, out of its ledger when nobody
// has it open.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/rpc/right.h"
#include "srlm/v1/run.pb.h"

namespace srlm::cli {

/// Longest that a command waits for a coordinator that does not answer, connecting included.
inline constexpr double kAnswerSeconds = 9;

/// One page of a table. Fields of the rows: docs/formats.md.
struct RowPage {
  std::vector<nlohmann::ordered_json> rows;
  std::string next_page_token;  // empty: the end
};

class RunReader {
 public:
  virtual ~RunReader() = default;
  /// What the run is doing; state "stopped" when it is neither done nor paused and no coordinator has it.
  virtual Result<v1::RunStatus> Status() = 0;
  /// A page of prompts, candidates, pairs, rounds or events. `round` 0: of all; `limit` 0: 1000 rows.
  virtual Result<RowPage> List(const std::string& table, int round, int limit, const std::string& page_token) = 0;
};

/// The run at `run_dir`, called with the run's keys for `right`. NotFound when there is none, Unavailable when its
/// coordinator does not answer.
Result<std::unique_ptr<RunReader>> OpenRun(const std::string& run_dir, rpc::Right right = rpc::Right::kRead);

/// The run whose coordinator listens at `address`, host:port, called with the keys in folder `secrets`; empty: its
/// security is off. Unavailable when nobody answers.
Result<std::unique_ptr<RunReader>> OpenAddress(const std::string& address, const std::string& secrets);

/// All rows of a table, at most `limit` (0: no limit), page after page.
Result<std::vector<nlohmann::ordered_json>> ReadRows(RunReader& run, const std::string& table, int round, int limit);

}  // namespace srlm::cli
