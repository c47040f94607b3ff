// A run whose groups are fakes: made, run to its end, and what its ledger says then.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "coordinator/ledger/ledger.h"
#include "coordinator/rounds/coordinator.h"
#include "tests/coordinator/rounds/fake_launcher.h"
#include "tests/coordinator/rounds/run_files.h"

namespace srlm::rounds {

/// The value, out of its Result: what a loop goes over must outlive it.
template <class T>
T Take(Result<T> result) {
  EXPECT_TRUE(result.ok()) << result.status().message();
  return std::move(result).value();
}

class FakeRunTest : public RunFilesTest {
 protected:
  /// Null, with a failure of the test, where there is none. Without a launcher a test leases and reports by itself.
  std::unique_ptr<Coordinator> Create(const config::RunConfig& config, const std::string& run_dir,
                                      bool with_launcher = true);
  /// The end of a run that may end in any way; its last status is in `status_`.
  Result<RunEnd> RunOnce(const config::RunConfig& config, const std::string& run_dir);
  /// A run that must be done.
  void RunToEnd(const config::RunConfig& config, const std::string& run_dir);
  /// Goes on with a run by hand until `results` results are stored, leaves two items begun, and stops.
  void StopAfterResults(const config::RunConfig& config, const std::string& run_dir, int results);
  static std::unique_ptr<ledger::Ledger> Open(const std::string& run_dir);
  /// A table without what differs between runs for good reason: when, in which epoch, by which worker.
  static std::string Table(const std::string& run_dir, const std::string& table);

  FakeGroups groups_;
  std::string notices_;
  v1::RunStatus status_;
  std::optional<std::string> goes_on_with_;  // the last run, as its coordinator said
};

}  // namespace srlm::rounds
