// Runs with the other ways to make pairs are whole, and what is changed in them is found.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/data/jsonl.h"
#include "coordinator/ledger/database.h"
#include "coordinator/ledger/ledger.h"
#include "coordinator/rounds/coordinator.h"
#include "tests/coordinator/fsck/damaged_run.h"

namespace srlm::fsck {
namespace {

class FsckPairsTest : public rounds::RunFilesTest {
 protected:
  /// Makes a run to its end, or to where `config` ends it.
  void Make(const std::vector<std::string>& more) {
    rounds::CoordinatorOptions options;
    options.program_folder = "/programs";
    options.launcher = std::make_unique<rounds::FakeLauncher>(groups_);
    options.notice = [](const std::string&) {};
    auto coordinator = rounds::Coordinator::Create(Config(more), RunDir(), std::move(options));
    ASSERT_TRUE(coordinator.ok()) << coordinator.status().message();
    const auto end = (*coordinator)->Run();
    ASSERT_TRUE(end.ok()) << end.status().message();
    ASSERT_EQ(*end, rounds::RunEnd::kDone) << (*coordinator)->Status().message();
  }
  std::string Found() {
    const auto report = CheckRun(RunDir());
    EXPECT_TRUE(report.ok()) << report.status().message();
    std::string all;
    for (const Finding& finding : report->findings())
      all += finding.check + ": " + finding.where + ": " + finding.what + "\n";
    return all;
  }
  void Damage(const std::string& sql) {
    const auto database = ledger::Database::Open(RunDir() + "/ledger.sqlite", ledger::Database::Mode::kOwn);
    ASSERT_TRUE(database.ok()) << database.status().message();
    ASSERT_TRUE((*database)->Execute(sql).ok());
  }
  std::vector<nlohmann::json> JobRows(const std::string& job_id) {
    auto reader = data::JsonlReader::Open(RunDir() + "/jobs/" + job_id + "/data.jsonl");
    EXPECT_TRUE(reader.ok());
    std::vector<nlohmann::json> rows;
    for (nlohmann::json row; *reader->Next(row);) rows.push_back(row);
    return rows;
  }

  rounds::FakeGroups groups_;
};

TEST_F(FsckPairsTest, SeveralPairsOfAPromptAndThoseOfEarlierRounds) {
  Make({"run.iterations=2", "generation.samples=6", "pairs.rule=length-controlled", "pairs.max_per_prompt=2",
        "pairs.earlier_share=0.5", "prompts.per_round=4"});
  EXPECT_EQ(Found(), "");
  {
    const auto ledger = std::move(*ledger::Ledger::OpenReadOnly(RunDir()));
    const auto own = *ledger->MadePairs(2), all = *ledger->MadePairs(1);
    EXPECT_GT(std::ranges::count(own, 1, &ledger::PairRow::pair), 0);
    const auto rows = JobRows("dpo-2");
    EXPECT_EQ(rows.size(), own.size() + std::min(own.size(), all.size()));
    for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].contains("reference_chosen_logp"), i < own.size()) << i;
    EXPECT_EQ((*ledger->Job("dpo-2"))->rows, static_cast<int64_t>(rows.size()));
  }
  Damage("UPDATE candidates SET logprob = -2 WHERE round = 2 AND use = 'chosen'");
  EXPECT_NE(Found().find("jobs: jobs, dpo-2: what it trained on is not what its round's pairs give"), std::string::npos)
      << Found();
  Damage("DELETE FROM pairs WHERE round = 2 AND pair = 1");
  EXPECT_NE(Found().find("pairs: pairs, round 2"), std::string::npos) << Found();
}

}  // namespace
}  // namespace srlm::fsck
