// Rounds that compare their own judgements: what is compared, what becomes of it, and that nothing that happens on the
// way changes it.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "common/base/file.h"
#include "coordinator/rounds/coordinator.h"
#include "coordinator/rounds/judge_pairs.h"
#include "tests/coordinator/rounds/fake_run.h"
#include "tests/coordinator/rounds/fake_worker.h"

namespace srlm::rounds {
namespace {

class MetaJudgeTest : public FakeRunTest {
 protected:
  config::RunConfig Meta(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"meta_judge.enabled=true", "judge.votes=4", "meta_judge.max_share=0.5"};
    all.insert(all.end(), more.begin(), more.end());
    return Config(all);
  }
};

TEST_F(MetaJudgeTest, ARoundTrainsOnTheBestJudgementAgainstTheWorst) {
  RunToEnd(Meta(), RunDir());
  const auto ledger = Open(RunDir());
  const ledger::MetaCounts counts = Take(ledger->GetMetaCounts(1));
  EXPECT_GT(counts.comparisons, 0);
  EXPECT_EQ(counts.parsed, counts.comparisons);
  EXPECT_GT(counts.both_orders, counts.flips);
  const auto made = Take(ledger->MadeJudgePairs(1));
  ASSERT_FALSE(made.empty());
  EXPECT_EQ(counts.judge_pairs, static_cast<int64_t>(made.size()));
  EXPECT_LE(counts.judge_pairs, ledger->Counts(1)->pairs);  // half of all
  for (const ledger::JudgePairRow& pair : made) {
    // Its candidate is that of the highest variance, and every two of its judgements were compared in both orders.
    const auto votes = Take(ledger->VotesOf(1, pair.position, pair.sample));
    const auto comparisons = Take(ledger->MetaVotesOf(1, pair.position));
    EXPECT_EQ(comparisons.size(), 4u * 3);
    std::set<std::pair<int, int>> orders;
    for (const ledger::MetaVoteRow& row : comparisons) {
      EXPECT_EQ(row.sample, pair.sample);
      orders.emplace(row.first, row.second);
    }
    EXPECT_EQ(orders.size(), 4u * 3);
    const auto candidates = Take(ledger->CandidatesOf(1, pair.position));
    for (const ledger::CandidateRow& candidate : candidates) {
      std::vector<std::optional<double>> scores;
      for (const auto& vote : Take(ledger->VotesOf(1, pair.position, candidate.sample))) scores.push_back(vote.score);
      EXPECT_LE(data::VoteVariance(scores).value_or(0), pair.variance);
    }
    EXPECT_GT(pair.chosen_elo, pair.rejected_elo);
    EXPECT_NE(pair.reason.find(fmt::format("{} has Elo", pair.chosen_vote)), std::string::npos) << pair.reason;
    EXPECT_NE(pair.judge_prompt.find(candidates[static_cast<size_t>(pair.sample)].text), std::string::npos);
  }

  // The job's rows: pairs of answers, then of judgements, with the judge's question and what sampling recorded.
  const int64_t pairs = ledger->Counts(1)->pairs;
  EXPECT_EQ((*ledger->Job("dpo-1"))->rows, pairs + counts.judge_pairs);
  std::vector<nlohmann::json> rows;
  const std::string text = *ReadFile(RunDir() + "/jobs/dpo-1/data.jsonl");
  for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    rows.push_back(nlohmann::json::parse(text.substr(at, end - at)));
  ASSERT_EQ(static_cast<int64_t>(rows.size()), pairs + counts.judge_pairs);
  const nlohmann::json& row = rows[static_cast<size_t>(pairs)];
  const ledger::JudgePairRow& first = made.front();
  const auto votes = Take(ledger->VotesOf(1, first.position, first.sample));
  const ledger::VoteRow& chosen = votes[static_cast<size_t>(first.chosen_vote)];
  EXPECT_EQ(row.at("prompt_token_ids").get<std::vector<int>>(), first.prompt_token_ids);
  EXPECT_EQ(row.at("chosen_token_ids").get<std::vector<int>>(), chosen.token_ids);
  EXPECT_EQ(row.at("reference_chosen_logp").get<double>(), chosen.logprob);
  EXPECT_EQ(row.at("prompt_id").get<std::string>(), first.prompt_id);

  const auto coordinator = Create(Meta(), RunDir());
  const v1::RunStatus status = coordinator->Status();
  EXPECT_EQ(status.rounds(1).judge_pairs(), static_cast<uint64_t>(counts.judge_pairs));
  for (const char* figure : {"meta_parse_rate", "meta_flip_rate", "meta_first_rate"})
    EXPECT_TRUE(status.rounds(1).health().contains(figure)) << figure;
}

TEST_F(MetaJudgeTest, WithoutItARoundIsAsBefore) {
  RunToEnd(Config({"judge.votes=4"}), RunDir("off"));
  RunToEnd(Meta(), RunDir("on"));
  for (const char* table : {"prompts", "candidates", "pairs"})
    EXPECT_EQ(Table(RunDir("off"), table), Table(RunDir("on"), table)) << table;
  EXPECT_EQ(Table(RunDir("off"), "judge_pairs"), "");
}

TEST_F(MetaJudgeTest, TheOrderOfResultsChangesNothing) {
  groups_.order = 1;
  RunToEnd(Meta(), RunDir("one"));
  groups_.order = 7;
  RunToEnd(Meta({"workers.replicas=3"}), RunDir("three"));
  EXPECT_EQ(Table(RunDir("one"), "judge_pairs"), Table(RunDir("three"), "judge_pairs"));
}

TEST_F(MetaJudgeTest, ACoordinatorStoppedWhileItComparesGoesOnToTheSameEnd) {
  RunToEnd(Meta(), RunDir("whole"));
  const std::string run = RunDir("stopped");
  RunToEnd(Meta({"run.iterations=0"}), run);  // M1 alone
  for (int stop = 0; stop < 3; ++stop) {
    const auto coordinator = Create(Meta(), run, false);
    std::thread work([&] { EXPECT_TRUE(coordinator->Run().ok()); });
    FakeWorker worker(run, "", 3);
    std::vector<v1::ItemResult> late;
    for (int compared = 0; compared < 5;) {
      const v1::LeaseResponse lease = worker.Lease(2);
      for (const v1::Item& item : lease.items()) {
        const v1::ItemResult result = worker.Answer(item, lease.lease_id());
        EXPECT_TRUE(worker.Submit({result}).ok());
        compared += item.purpose() == v1::PURPOSE_META_VOTE;
        if (item.purpose() == v1::PURPOSE_META_VOTE) late.push_back(result);
      }
    }
    // Handed in again, it is a duplicate, and acknowledged; one whose two texts are others' is refused.
    EXPECT_EQ(worker.Submit({late.front()})->duplicates(), 1u);
    const v1::LeaseResponse lease = worker.Lease(1);
    ASSERT_EQ(lease.items_size(), 1);
    v1::ItemResult wrong = worker.Answer(lease.items(0), lease.lease_id());
    wrong.set_subject_hash("another");
    EXPECT_EQ(worker.Submit({wrong})->refused(), 1u);
    coordinator->Stop();
    work.join();
  }
  RunToEnd(Meta(), run);
  for (const char* table : {"prompts", "candidates", "pairs", "judge_pairs"})
    EXPECT_EQ(Table(RunDir("whole"), table), Table(run, table)) << table;
}

TEST_F(MetaJudgeTest, AComparisonThatCannotBeDoneIsSetAside) {
  const std::string run = RunDir();
  RunToEnd(Meta({"run.iterations=0"}), run);
  {
    const auto coordinator = Create(Meta(), run, false);
    std::thread work([&] { EXPECT_TRUE(coordinator->Run().ok()); });
    FakeWorker worker(run, "", 1);
    for (bool failed = false; !failed;) {
      const v1::LeaseResponse lease = worker.Lease(10);
      for (const v1::Item& item : lease.items()) {
        v1::ItemResult result = worker.Answer(item, lease.lease_id());
        if (item.purpose() == v1::PURPOSE_META_VOTE && !failed) {
          result.clear_samples();
          result.set_error("too long for the context");
          failed = true;
        }
        EXPECT_TRUE(worker.Submit({result}).ok());
      }
    }
    coordinator->Stop();
    work.join();
  }
  RunToEnd(Meta(), run);
  const auto ledger = Open(run);
  EXPECT_EQ(*ledger->CountMetaVotes(1, true), 1);
  EXPECT_EQ(*ledger->CountMetaVotes(1, false), Take(ledger->GetMetaCounts(1)).comparisons + 1);
  EXPECT_EQ(ledger->ItemFaults(1)->size(), 1u);
}

TEST_F(MetaJudgeTest, ComparisonsThatCannotBeReadPauseTheRunAndAreShown) {
  groups_.comparison = [](uint64_t key) { return fmt::format("Both are fine, {}.", key % 1000); };
  {
    const auto coordinator = Create(Meta(), RunDir());
    const auto end = coordinator->Run();
    ASSERT_TRUE(end.ok()) << end.status().message();
    EXPECT_EQ(*end, RunEnd::kPaused);
    const std::string message = coordinator->Status().message();
    EXPECT_NE(message.find("only 0 % of"), std::string::npos) << message;
    EXPECT_NE(message.find("comparisons of judgements"), std::string::npos) << message;
    EXPECT_NE(message.find("vote 5: \"Both are fine, "), std::string::npos) << message;
    EXPECT_EQ(message.find("vote 6: "), std::string::npos) << message;
  }
  RunToEnd(Meta({"judge.min_parse_rate=0"}), RunDir());
  const auto ledger = Open(RunDir());
  EXPECT_EQ(Take(ledger->GetMetaCounts(1)).judge_pairs, 0);
  EXPECT_EQ((*ledger->Job("dpo-1"))->rows, ledger->Counts(1)->pairs);
}

// Always the second: both orders of a pair of judgements contradict one another, and nothing follows.
TEST_F(MetaJudgeTest, AJudgeThatSeesOnlyPlacesMakesNoPair) {
  RunToEnd(Meta({"meta_judge.verdict=expected"}), RunDir());
  const auto ledger = Open(RunDir());
  const ledger::MetaCounts counts = Take(ledger->GetMetaCounts(1));
  EXPECT_EQ(counts.second_wins, counts.comparisons);
  EXPECT_EQ(counts.flips, counts.both_orders);
  EXPECT_EQ(counts.judge_pairs, 0);
  const auto row = Take(ledger->JudgePair(1, 0));
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->outcome, "tie");
}

TEST_F(MetaJudgeTest, OnlyTheMostDisputedPromptsAreCompared) {
  RunToEnd(Meta({"meta_judge.max_prompts=2"}), RunDir());
  const auto ledger = Open(RunDir());
  EXPECT_EQ(*ledger->CountMetaVotes(1, false), 2 * 4 * 3);
  double least = 1e9, most = 0;  // variance of those that were, and were not
  for (int position = 0; position < 5; ++position) {
    const auto row = Take(ledger->JudgePair(1, position));
    ASSERT_TRUE(row.has_value());
    if (row->outcome == "not_compared")
      most = std::max(most, row->variance);
    else
      least = std::min(least, row->variance);
  }
  EXPECT_GE(least, most);
}

ledger::JudgePairRow Paired(int position, double variance) {
  ledger::JudgePairRow row{.round = 1, .position = position};
  row.outcome = "paired";
  row.variance = variance;
  return row;
}

TEST(JudgePairs, TheirShareIsOfAllPairsAndTheMostDisputedStay) {
  config::RunConfig config;
  config.meta_judge.max_share = 0.15;
  std::vector<ledger::JudgePairRow> rows = {Paired(0, 1), Paired(1, 3), Paired(2, 2), Paired(3, 3), Paired(4, 0.5)};
  rows[4].outcome = "tie";
  LimitShare(config, 17, rows);  // 3 of 20
  std::vector<std::string> outcomes;
  for (const auto& row : rows) outcomes.push_back(row.outcome);
  EXPECT_EQ(outcomes, (std::vector<std::string>{"over_share", "paired", "paired", "paired", "tie"}));
  LimitShare(config, 16, rows);  // 3 would be more than 0.15 of 19
  EXPECT_EQ(rows[2].outcome, "over_share");
  EXPECT_NE(rows[2].reason.find("2 may stand beside 16"), std::string::npos) << rows[2].reason;
  LimitShare(config, 5, rows);
  EXPECT_EQ(rows[1].outcome, "over_share");
}

}  // namespace
}  // namespace srlm::rounds
