#include "tests/coordinator/fsck/damaged_run.h"

#include <cstdlib>
#include <filesystem>

#include "coordinator/ledger/database.h"
#include "coordinator/rounds/coordinator.h"

namespace srlm::fsck {

void GoodRun::Make(const std::vector<std::string>& settings) {
  SetUp();
  std::vector<std::string> with_keys = {"security=tls"};  // they are checked too
  with_keys.insert(with_keys.end(), settings.begin(), settings.end());
  auto coordinator = rounds::Coordinator::Create(Config(with_keys), RunDir("good"), rounds::FastOptions(groups_));
  ASSERT_TRUE(coordinator.ok()) << coordinator.status().message();
  const auto end = (*coordinator)->Run();
  ASSERT_TRUE(end.ok()) << end.status().message();
  ASSERT_EQ(*end, rounds::RunEnd::kDone);
}

void DamagedRunTest::SetUp() {
  ASSERT_FALSE(HasFailure());  // of the suite: there is no run to damage
  folder_ = testing::TempDir() + "srlm_fsck_XXXXXX";
  ASSERT_NE(mkdtemp(folder_.data()), nullptr);
}

void DamagedRunTest::TearDown() { std::filesystem::remove_all(folder_); }

std::string DamagedRunTest::Copy() {
  const std::string copy = folder_ + "/copy-" + std::to_string(++copies_);
  std::filesystem::copy(good(), copy, std::filesystem::copy_options::recursive);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(good() + "/secrets"))
    std::filesystem::permissions(copy / entry.path().lexically_relative(good()), entry.status().permissions());
  std::filesystem::permissions(copy + "/secrets", std::filesystem::perms::owner_all);
  return copy;
}

std::string DamagedRunTest::Damaged(const std::string& sql) {
  const std::string copy = Copy();
  const auto database = ledger::Database::Open(copy + "/ledger.sqlite", ledger::Database::Mode::kOwn);
  EXPECT_TRUE(database.ok()) << database.status().message();
  const Status done = (*database)->Execute(sql);
  EXPECT_TRUE(done.ok()) << done.message();
  return copy;
}

Report DamagedRunTest::Check(const std::string& run) {
  auto report = CheckRun(run);
  EXPECT_TRUE(report.ok()) << report.status().message();
  return report.ok() ? std::move(*report) : Report();
}

void DamagedRunTest::ExpectOnly(const std::string& run, const std::string& check, const std::string& where,
                                const std::string& what) {
  const Report report = Check(run);
  std::string all;
  for (const Finding& finding : report.findings())
    all += finding.check + ": " + finding.where + ": " + finding.what + "\n";
  ASSERT_EQ(report.found(), 1) << all;
  const Finding& finding = report.findings().front();
  EXPECT_EQ(finding.check, check) << all;
  EXPECT_NE(finding.where.find(where), std::string::npos) << all;
  EXPECT_NE(finding.what.find(what), std::string::npos) << all;
  EXPECT_FALSE(finding.remedy.empty());
}

}  // namespace srlm::fsck
