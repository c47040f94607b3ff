#include "tests/coordinator/rounds/fake_run.h"

#include <nlohmann/json.hpp>
#include <thread>

#include "coordinator/ledger/listing.h"
#include "tests/coordinator/rounds/fake_worker.h"

namespace srlm::rounds {

std::unique_ptr<Coordinator> FakeRunTest::Create(const config::RunConfig& config, const std::string& run_dir,
                                                 bool with_launcher) {
  CoordinatorOptions options = FastOptions(groups_);
  if (!with_launcher) options.launcher = nullptr;
  options.notice = [this](const std::string& line) { notices_ += line + "\n"; };
  auto coordinator = Coordinator::Create(config, run_dir, std::move(options));
  EXPECT_TRUE(coordinator.ok()) << coordinator.status().message();
  return coordinator.ok() ? std::move(*coordinator) : nullptr;
}

Result<RunEnd> FakeRunTest::RunOnce(const config::RunConfig& config, const std::string& run_dir) {
  const auto coordinator = Create(config, run_dir);
  if (!coordinator) return Status(Code::kInternal, "there is no coordinator");
  auto end = coordinator->Run();
  status_ = coordinator->Status();
  goes_on_with_ = coordinator->GoesOnWith();
  return end;
}

void FakeRunTest::RunToEnd(const config::RunConfig& config, const std::string& run_dir) {
  const auto end = RunOnce(config, run_dir);
  ASSERT_TRUE(end.ok()) << end.status().message();
  ASSERT_EQ(*end, RunEnd::kDone) << status_.message();
}

void FakeRunTest::StopAfterResults(const config::RunConfig& config, const std::string& run_dir, int results) {
  const auto coordinator = Create(config, run_dir, false);
  std::thread work([&] { EXPECT_TRUE(coordinator->Run().ok()); });
  FakeWorker worker(run_dir, "", 3);
  while (results > 0) {
    const v1::LeaseResponse lease = worker.Lease(2);
    for (const v1::Item& item : lease.items()) {
      EXPECT_TRUE(worker.Submit({worker.Answer(item, lease.lease_id())}).ok());
      --results;
    }
  }
  (void)worker.Lease(2);  // left behind, unfinished
  coordinator->Stop();
  work.join();
}

std::unique_ptr<ledger::Ledger> FakeRunTest::Open(const std::string& run_dir) {
  return Take(ledger::Ledger::OpenReadOnly(run_dir));
}

std::string FakeRunTest::Table(const std::string& run_dir, const std::string& table) {
  const auto ledger = Open(run_dir);
  std::string text;
  const auto page = Take(ledger::List(*ledger, table, 0, 0, ""));
  for (const auto& row : page.rows) text += row.dump() + "\n";
  return text;
}

}  // namespace srlm::rounds
