#include "tests/coordinator/rounds/fake_run.h"

#include "coordinator/ledger/listing.h"

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
  return end;
}

void FakeRunTest::RunToEnd(const config::RunConfig& config, const std::string& run_dir) {
  const auto end = RunOnce(config, run_dir);
  ASSERT_TRUE(end.ok()) << end.status().message();
  ASSERT_EQ(*end, RunEnd::kDone) << status_.message();
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
