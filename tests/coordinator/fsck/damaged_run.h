// A finished run, and copies of it to which something is done.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "coordinator/fsck/fsck.h"
#include "tests/coordinator/rounds/fake_launcher.h"
#include "tests/coordinator/rounds/run_files.h"

namespace srlm::fsck {

/// A run of one round, made by a real coordinator with workers and trainers that only pretend. It is made once for all
/// tests of a suite.
class GoodRun final : public rounds::RunFilesTest {
 public:
  /// `settings` are `key=value` overrides; `quality` as of FakeGroups.
  explicit GoodRun(const std::vector<std::string>& settings = {},
                   std::function<int(const std::string&)> quality = nullptr) {
    groups_.quality = std::move(quality);
    Make(settings);
  }
  ~GoodRun() override { TearDown(); }
  using RunFilesTest::RunDir;

 private:
  void Make(const std::vector<std::string>& settings);
  void TestBody() override {}
  rounds::FakeGroups groups_;
};

class DamagedRunTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { made_ = std::make_unique<GoodRun>(); }
  static void TearDownTestSuite() { made_.reset(); }
  void SetUp() override;
  void TearDown() override;

  static std::string good() { return made_->RunDir("good"); }
  /// A copy of it, with all permissions.
  std::string Copy();
  /// Runs SQL on the ledger of a copy; gives the copy.
  std::string Damaged(const std::string& sql);
  /// Expects that a run has exactly one finding: of `check`, about `where`, saying `what`.
  void ExpectOnly(const std::string& run, const std::string& check, const std::string& where, const std::string& what);
  static Report Check(const std::string& run);

  std::string folder_;  // of the copies
  static inline std::unique_ptr<GoodRun> made_;

 private:
  int copies_ = 0;
};

}  // namespace srlm::fsck
