#include "coordinator/cli/run_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "common/base/clock.h"
#include "common/base/process.h"
#include "common/rpc/run_address.h"
#include "common/rpc/run_secrets.h"
#include "coordinator/cli/live_run.h"
#include "coordinator/cli/stopped_run.h"
#include "coordinator/cli/text.h"
#include "coordinator/ledger/owner.h"

namespace srlm::cli {
namespace {

constexpr double kStartSeconds = 10;
constexpr std::chrono::milliseconds kLookAgain(50);

/// Whether the coordinator that wrote `address` ran on this host and is gone: then nobody is waited for.
bool IsGone(const rpc::RunAddress& address) {
  if (address.host != HostName() || address.pid <= 0) return false;
  const auto process = ReadProcess(static_cast<pid_t>(address.pid));
  return !process || !process->alive();
}

template <class T>
Result<std::unique_ptr<RunReader>> AsReader(Result<std::unique_ptr<T>> opened) {
  if (!opened.ok()) return opened.status();
  return std::unique_ptr<RunReader>(std::move(*opened));
}

}  // namespace

Result<std::unique_ptr<RunReader>> OpenRun(const std::string& run_dir, rpc::Right right) {
  std::error_code error;
  if (!std::filesystem::is_directory(run_dir, error)) {
    return NotFound(run_dir + ": no such run folder; `srlm run CONFIG --run-dir " + run_dir + "` would start one");
  }
  auto address = rpc::ReadRunAddress(run_dir);
  // A coordinator that begins or ends has the ledger, and no address yet or any more.
  const Deadline deadline = Deadline::AfterSeconds(kStartSeconds);
  while (!address.ok() || IsGone(*address)) {
    auto stopped = StoppedRun::Open(run_dir);
    if (stopped.status().code() != Code::kUnavailable || deadline.Expired()) return AsReader(std::move(stopped));
    std::this_thread::sleep_for(kLookAgain);
    address = rpc::ReadRunAddress(run_dir);
  }
  auto live = LiveRun::Connect(address->address, address->secure ? rpc::SecretsFolder(run_dir, right) : "");
  if (live.ok()) return AsReader(std::move(live));
  auto stopped = StoppedRun::Open(run_dir);
  if (stopped.ok()) return AsReader(std::move(stopped));
  const auto seen = ledger::ReadOwnerLock(run_dir);
  if (!seen.ok()) return live.status().WithContext(run_dir);
  return Unavailable(fmt::format("{}: its coordinator does not answer: {}, last heard {} ago ({})", run_dir,
                                 Describe(seen->owner), Span(seen->age_s), live.status().message()));
}

Result<std::unique_ptr<RunReader>> OpenAddress(const std::string& address, const std::string& secrets) {
  return AsReader(LiveRun::Connect(address, secrets));
}

Result<std::vector<nlohmann::ordered_json>> ReadRows(RunReader& run, const std::string& table, int round, int limit) {
  constexpr int kPageRows = 1000;
  std::vector<nlohmann::ordered_json> rows;
  std::string token;
  do {
    const int wanted = limit == 0 ? kPageRows : std::min(kPageRows, limit - static_cast<int>(rows.size()));
    SRLM_ASSIGN_OR_RETURN(RowPage page, run.List(table, round, wanted, token));
    std::ranges::move(page.rows, std::back_inserter(rows));
    token = std::move(page.next_page_token);
  } while (!token.empty() && (limit == 0 || static_cast<int>(rows.size()) < limit));
  return rows;
}

}  // namespace srlm::cli
