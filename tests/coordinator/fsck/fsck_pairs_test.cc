// Runs with the other ways to make pairs are whole, and what is changed in them is found.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "common/data/jsonl.h"
#include "coordinator/ledger/database.h"
#include "coordinator/ledger/ledger.h"
#include "coordinator/rounds/coordinator.h"
#include "tests/coordinator/fsck/damaged_run.h"
#include "tests/coordinator/rounds/fake_worker.h"

namespace srlm::fsck {
namespace {

class FsckPairsTest : public rounds::RunFilesTest {
 protected:
  std::unique_ptr<rounds::Coordinator> Create(const std::vector<std::string>& more, bool with_launcher = true) {
    rounds::CoordinatorOptions options = rounds::FastOptions(groups_);
    if (!with_launcher) options.launcher = nullptr;
    auto coordinator = rounds::Coordinator::Create(Config(more), RunDir(), std::move(options));
    EXPECT_TRUE(coordinator.ok()) << coordinator.status().message();
    return coordinator.ok() ? std::move(*coordinator) : nullptr;
  }
  /// Makes a run to its end.
  void Make(const std::vector<std::string>& more) {
    const auto coordinator = Create(more);
    ASSERT_NE(coordinator, nullptr);
    const auto end = coordinator->Run();
    ASSERT_TRUE(end.ok()) << end.status().message();
    ASSERT_EQ(*end, rounds::RunEnd::kDone) << coordinator->Status().message();
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

TEST_F(FsckPairsTest, TheAnchorsAnswersAreJudgedAndRejected) {
  Make({"run.iterations=2", "pairs.rule=anchored", "pairs.anchor=M0", "pairs.anchor_samples=2"});
  EXPECT_EQ(Found(), "");
  {
    const auto ledger = std::move(*ledger::Ledger::OpenReadOnly(RunDir()));
    const std::string anchor = (*ledger->Model("M0"))->model_id;
    const auto candidates = *ledger->Candidates(2);
    EXPECT_EQ(candidates.size(), 5u * (3 + 2));
    for (const ledger::CandidateRow& row : candidates) {
      EXPECT_EQ(row.model_id == anchor, row.sample >= 3);
      EXPECT_TRUE(row.score.has_value());
    }
    const auto pairs = *ledger->MadePairs(2);
    ASSERT_FALSE(pairs.empty());
    for (const ledger::PairRow& pair : pairs) {
      EXPECT_LT(pair.chosen_sample, 3);
      EXPECT_GE(pair.rejected_sample, 3);
    }
    const auto rows = JobRows("dpo-2");
    for (const auto& row : rows) EXPECT_FALSE(row.contains("reference_rejected_logp"));
    EXPECT_EQ(ledger->Counts(2)->candidates, 5 * 3);
    EXPECT_EQ(ledger->Counts(2)->anchors_done, 5 * 2);
  }
  Damage("UPDATE candidates SET model_id = 'M9' WHERE round = 2 AND position = 1 AND sample = 4");
  EXPECT_NE(Found().find("sample 4: made by model M9, and the anchor is"), std::string::npos) << Found();
  Damage("DELETE FROM candidates WHERE round = 2 AND position = 1 AND sample = 4");
  EXPECT_NE(Found().find("sample 4: it is missing"), std::string::npos) << Found();
}

TEST_F(FsckPairsTest, GoodAnswersAreTrainedOnAlone) {
  Make({"pairs.rule=positive", "pairs.positive_min_score=3", "generation.samples=4"});
  EXPECT_EQ(Found(), "");
  {
    const auto ledger = std::move(*ledger::Ledger::OpenReadOnly(RunDir()));
    EXPECT_EQ((*ledger->Model("M2"))->job_id, "sft-1");
    const auto rows = JobRows("sft-1");
    ASSERT_FALSE(rows.empty());
    for (const auto& row : rows) EXPECT_TRUE(row.contains("completion_token_ids") && !row.contains("rejected"));
    int64_t good = 0;
    const auto candidates = *ledger->Candidates(1);
    for (const ledger::CandidateRow& row : candidates) {
      EXPECT_EQ(row.use == "chosen", row.score >= 3.0) << row.use;
      good += row.score >= 3.0;
    }
    EXPECT_EQ(good, static_cast<int64_t>(rows.size()));
  }
  Damage("UPDATE pairs SET chosen_score = 5.5 WHERE chosen_sample >= 0");
  EXPECT_NE(Found().find("chosen_score is 5.5 instead of"), std::string::npos) << Found();
}

TEST_F(FsckPairsTest, CreamsLabelsFollowFromTheLikelihoods) {
  Make({"run.iterations=2", "pairs.soft_labels=cream", "generation.samples=4"});
  EXPECT_EQ(Found(), "");
  {
    const auto ledger = std::move(*ledger::Ledger::OpenReadOnly(RunDir()));
    double sum = 0;
    int prompts = 0;
    const auto prompted = *ledger->Prompts(2);
    for (const ledger::PromptRow& prompt : prompted) {
      const auto rows = *ledger->LikelihoodsOf(2, prompt.position);
      ASSERT_EQ(rows.size(), 4u);
      for (const ledger::LikelihoodRow& row : rows) EXPECT_EQ(row.model_id, (*ledger->Model("M1"))->model_id);
      sum += (*ledger->Pair({2, prompt.position, 0}))->consistency.value();
      ++prompts;
    }
    const double label = sum / prompts;
    EXPECT_GT(label, 0);
    EXPECT_LT(label, 1);
    const auto rows = JobRows("dpo-2");
    ASSERT_FALSE(rows.empty());
    for (const auto& row : rows) EXPECT_DOUBLE_EQ(row.at("chosen_probability").get<double>(), label);
    EXPECT_EQ((*ledger->LikelihoodsOf(1, 0))[0].model_id, (*ledger->Model("M0"))->model_id);
  }
  Damage("DELETE FROM likelihoods WHERE round = 2 AND position = 1 AND sample = 3");
  EXPECT_NE(Found().find("likelihoods: likelihoods, round 2, position 1"), std::string::npos) << Found();
}

TEST_F(FsckPairsTest, TheDivergenceFromM0StandsBesideCreamsLabels) {
  Make({"run.iterations=2", "pairs.soft_labels=cream", "generation.samples=4", "health.kl_prompts=2"});
  EXPECT_EQ(Found(), "");
  {
    const auto ledger = std::move(*ledger::Ledger::OpenReadOnly(RunDir()));
    EXPECT_EQ(ledger->LikelihoodsOf(1, 0)->size(), 4u);  // of M0, once for both
    EXPECT_EQ(ledger->LikelihoodsOf(2, 1)->size(), 5u);
    EXPECT_EQ(ledger->LikelihoodsOf(2, 2)->size(), 4u);
  }
  Damage("DELETE FROM likelihoods WHERE round = 2 AND position = 1 AND model = 'M0'");
  EXPECT_NE(Found().find("that under M0 is missing"), std::string::npos) << Found();
}

TEST_F(FsckPairsTest, JudgementsAreComparedAndTheirPairsFollow) {
  const std::vector<std::string> meta = {"meta_judge.enabled=true", "judge.votes=3", "meta_judge.max_share=0.5"};
  Make(meta);
  EXPECT_EQ(Found(), "");
  const auto report = CheckRun(RunDir());
  EXPECT_TRUE(report->digest.kinds.contains("meta votes") && report->digest.kinds.contains("judge pairs"));
  const std::string folder = RunDir() + ".damaged";
  for (const auto& [sql, found] :
       {std::pair{"UPDATE meta_votes SET verdict = 'b', prefers_first = 0 WHERE verdict = 'a'",
                  "meta votes: meta_votes, position"},
        {"UPDATE meta_votes SET subject_hash = 'x' WHERE first = 0 AND second = 1", "it compared other texts"},
        {"UPDATE meta_votes SET model_id = 'x' WHERE first = 0 AND second = 1", "made by model x"},
        {"UPDATE meta_votes SET state = 'absent' WHERE first = 0 AND second = 1", "do not fit"},
        {"UPDATE meta_votes SET sample = 9 WHERE first = 0 AND second = 1", "is not the one whose judgements"},
        {"UPDATE meta_votes SET first = 7 WHERE first = 0 AND second = 1", "no two judgements that it compares"},
        {"DELETE FROM meta_votes WHERE first = 0 AND second = 1", "comparisons are there, in a round that is closed"},
        {"DELETE FROM judge_pairs WHERE position = 2", "judge pairs: judge_pairs, position 2, round 1: it is missing"},
        {"UPDATE judge_pairs SET chosen_elo = chosen_elo + 1e-6 WHERE outcome = 'paired'", "chosen_elo is"},
        {"UPDATE judge_pairs SET judge_prompt = 'x' WHERE outcome = 'paired'", "its question is not that about"},
        {"UPDATE judge_pairs SET prompt_token_ids = x'' WHERE outcome = 'paired'", "it has no question"},
        {"UPDATE meta_counts SET flips = flips + 1", "judge pairs: meta_counts, round 1: it is not what"},
        {"INSERT INTO meta_votes SELECT 9, position, sample, first, second, model_id, subject_hash, state, verdict, "
         "prefers_first, logprob, token_ids, text FROM meta_votes",
         "meta_votes, round 9: the ledger has no such round"}}) {
    std::filesystem::copy_file(RunDir() + "/ledger.sqlite", folder);
    Damage(sql);
    EXPECT_NE(Found().find(found), std::string::npos) << sql << "\n" << Found();
    std::filesystem::rename(folder, RunDir() + "/ledger.sqlite");
  }
  EXPECT_EQ(Found(), "");
  Damage("UPDATE votes SET logprob = -2 WHERE round = 1");  // what the job's rows were made of
  EXPECT_NE(Found().find("jobs: jobs, dpo-1"), std::string::npos) << Found();
}

// By hand, so that it stops after exactly so many results, among answers, the anchor's answers, votes, likelihoods and
// comparisons of judgements.
TEST_F(FsckPairsTest, ARunStoppedAnywhereMakesTheSameAnchorsAndLabels) {
  const std::vector<std::string> more = {"pairs.rule=anchored", "pairs.anchor_samples=2", "pairs.soft_labels=cream",
                                         "meta_judge.enabled=true"};
  Make(more);
  const std::string whole = CheckRun(RunDir())->digest.all;
  EXPECT_EQ(whole.size(), 64u);
  std::filesystem::remove_all(RunDir());
  std::vector<std::string> first = more;
  first.push_back("run.iterations=0");
  Make(first);
  std::set<v1::Purpose> seen;
  for (bool more_work = true; more_work;) {
    const auto coordinator = Create(more, false);
    std::thread work([&] { EXPECT_TRUE(coordinator->Run().ok()); });
    rounds::FakeWorker worker(RunDir(), "", 3);
    for (int results = 0; results < 9 && more_work;) {
      const v1::LeaseResponse lease = worker.Lease(2);
      for (const v1::Item& item : lease.items()) {
        seen.insert(item.purpose());
        EXPECT_TRUE(worker.Submit({worker.Answer(item, lease.lease_id())}).ok());
        ++results;
      }
      more_work = !lease.release_cores();  // training waits to be started
    }
    coordinator->Stop();
    work.join();
    EXPECT_EQ(Found(), "");
  }
  EXPECT_EQ(seen.size(), 6u);  // M1 was evaluated before
  Make(more);
  EXPECT_EQ(CheckRun(RunDir())->digest.all, whole);
}

}  // namespace
}  // namespace srlm::fsck
