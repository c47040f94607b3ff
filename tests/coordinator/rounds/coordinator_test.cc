#include "coordinator/rounds/coordinator.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/base/file.h"
#include "common/rpc/channel.h"
#include "srlm/v1/run.grpc.pb.h"
#include "tests/coordinator/rounds/fake_run.h"
#include "tests/coordinator/rounds/fake_worker.h"

namespace srlm::rounds {
namespace {

using CoordinatorTest = FakeRunTest;

TEST_F(CoordinatorTest, AWholeRunEndsWithItsModelsAndTables) {
  const std::string run = RunDir();
  {
    const auto coordinator = Create(Config(), run);
    const auto end = coordinator->Run();
    ASSERT_TRUE(end.ok()) << end.status().message();
    EXPECT_EQ(*end, RunEnd::kDone);
    EXPECT_EQ(coordinator->Status().state(), "done");
    ASSERT_EQ(coordinator->Status().rounds_size(), 2);
    EXPECT_EQ(coordinator->Status().rounds(1).judge().parse_rate().n(), 4u);
  }
  EXPECT_FALSE(std::filesystem::exists(run + "/owner.lock"));
  EXPECT_FALSE(std::filesystem::exists(run + "/coordinator.json"));
  EXPECT_TRUE(std::filesystem::exists(run + "/models/M2/config.json"));
  const auto ledger = Take(ledger::Ledger::OpenReadOnly(run));
  EXPECT_EQ(ledger->Prompts(1)->size(), 5u);
  EXPECT_EQ(ledger->Candidates(1)->size(), 15u);
  EXPECT_EQ(ledger->Votes(1)->size(), 30u);
  EXPECT_EQ(ledger->Pairs(1)->size(), 5u);
  for (const auto& row : Take(ledger->Candidates(1))) EXPECT_TRUE(row.score.has_value()) << row.prompt_id;
  for (const auto& row : Take(ledger->Votes(1)))
    EXPECT_EQ(row.subject_hash, (*ledger->Candidate(1, row.position, row.sample))->token_hash);
  EXPECT_EQ((*ledger->Job("dpo-1"))->first_loss, 0.75);
  EXPECT_EQ((*ledger->Model("M2"))->folder, "models/M2");
  EXPECT_TRUE(ledger->Evaluation("M1")->has_value());
  EXPECT_TRUE(ledger->Evaluation("M2")->has_value());
}

TEST_F(CoordinatorTest, JobsCarryTokenIdsAndTheLogProbabilitiesOfTheSampler) {
  RunToEnd(Config(), RunDir());
  const std::string rows = *ReadFile(RunDir() + "/jobs/dpo-1/data.jsonl");
  const auto row = nlohmann::json::parse(rows.substr(0, rows.find('\n')));
  const auto ledger = Take(ledger::Ledger::OpenReadOnly(RunDir()));
  const auto pairs = Take(ledger->Pairs(1));
  const auto pair = std::ranges::find_if(pairs, [](const auto& each) { return each.chosen_sample >= 0; });
  const auto chosen = *ledger->Candidate(1, pair->position, pair->chosen_sample);
  EXPECT_EQ(row.at("chosen_token_ids").get<std::vector<int>>(), chosen->token_ids);
  EXPECT_EQ(row.at("prompt_token_ids").get<std::vector<int>>(), (*ledger->Prompt(1, pair->position))->token_ids);
  EXPECT_NE(rows.find("-1.0"), std::string::npos) << rows;
}

TEST_F(CoordinatorTest, TheOrderOfAnswersChangesNothing) {
  groups_.order = 1;
  RunToEnd(Config(), RunDir("one"));
  groups_.order = 7;
  RunToEnd(Config({"workers.replicas=3"}), RunDir("three"));
  for (const char* table : {"prompts", "candidates", "pairs"})
    EXPECT_EQ(Table(RunDir("one"), table), Table(RunDir("three"), table)) << table;
}

TEST_F(CoordinatorTest, ARunStoppedAnywhereGoesOnToTheSameEnd) {
  RunToEnd(Config(), RunDir("whole"));
  // By hand, so that it stops after exactly so many results of the round.
  const std::string run = RunDir("stopped");
  RunToEnd(Config({"run.iterations=0"}), run);  // M1 alone
  for (int stop = 0; stop < 4; ++stop) StopAfterResults(Config(), run, 4);
  RunToEnd(Config(), run);
  for (const char* table : {"prompts", "candidates", "pairs"})
    EXPECT_EQ(Table(RunDir("whole"), table), Table(run, table)) << table;
  EXPECT_EQ(groups_.trainers, 4);  // M1 and M2 of both runs, none twice
}

TEST_F(CoordinatorTest, AResultIsStoredOnceAndWrongOnesAreRefused) {
  const std::string run = RunDir();
  RunToEnd(Config({"run.iterations=0"}), run);
  const auto coordinator = Create(Config(), run, false);
  std::thread work([&] { EXPECT_TRUE(coordinator->Run().ok()); });
  FakeWorker worker(run, "", 1);
  const v1::LeaseResponse lease = worker.Lease(2);
  ASSERT_EQ(lease.items_size(), 2);
  const v1::ItemResult right = worker.Answer(lease.items(0), lease.lease_id());
  v1::ItemResult wrong = right;
  wrong.set_model_id("another");
  EXPECT_EQ(worker.Submit({wrong})->refused(), 1u);
  v1::ItemResult of_another_prompt = worker.Answer(lease.items(1), lease.lease_id());
  of_another_prompt.set_prompt_hash(right.prompt_hash());
  EXPECT_EQ(worker.Submit({of_another_prompt})->refused(), 1u);
  EXPECT_EQ(worker.Submit({right})->stored(), 1u);
  EXPECT_EQ(worker.Submit({right})->duplicates(), 1u);
  EXPECT_EQ(worker.Submit({wrong})->duplicates(), 1u);
  const auto stub = v1::RunService::NewStub(*rpc::MakeRunChannel(run, *rpc::ReadRunAddress(run), rpc::Right::kRead));
  const auto status = rpc::Call(*stub, &v1::RunService::Stub::GetStatus, v1::GetStatusRequest(), 10, "GetStatus");
  EXPECT_EQ(status->duplicates(), 2u);
  EXPECT_EQ(status->state(), "running");
  EXPECT_EQ(status->workers_size(), 1);
  coordinator->Stop();
  work.join();
}

TEST_F(CoordinatorTest, AWorkerThatComputesOtherBitsIsRefusedUnlessTheRunAllowsIt) {
  const std::string run = RunDir();
  RunToEnd(Config({"run.iterations=0"}), run);  // by workers whose arithmetic is "fake"
  for (const bool allowed : {false, true}) {
    const auto coordinator = Create(Config({fmt::format("workers.same_arithmetic={}", !allowed)}), run, false);
    std::thread work([&] { EXPECT_TRUE(coordinator->Run().ok()); });
    EXPECT_FALSE(FakeWorker(run, "", 1).worker_id().empty());
    EXPECT_EQ(FakeWorker(run, "", 1, "other").worker_id().empty(), !allowed);
    coordinator->Stop();
    work.join();
  }
}

TEST_F(CoordinatorTest, AnItemThatCannotBeDoneIsSetAsideAndTheRunGoesOn) {
  const std::string run = RunDir();
  RunToEnd(Config({"run.iterations=0"}), run);
  {
    const auto coordinator = Create(Config(), run, false);
    std::thread work([&] { EXPECT_TRUE(coordinator->Run().ok()); });
    FakeWorker worker(run, "", 1);
    bool failed = false;
    while (!failed) {
      const v1::LeaseResponse lease = worker.Lease(10);
      for (const v1::Item& item : lease.items()) {
        v1::ItemResult result = worker.Answer(item, lease.lease_id());
        if (item.purpose() == v1::PURPOSE_CANDIDATE && !failed) {
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
  const auto end = RunOnce(Config(), run);
  ASSERT_TRUE(end.ok()) << end.status().message();
  const auto ledger = Take(ledger::Ledger::OpenReadOnly(run));
  int without = 0;
  for (const auto& prompt : Take(ledger->Prompts(1))) {
    if (prompt.state != "failed") continue;
    ++without;
    EXPECT_EQ(prompt.reason, "too long for the context");
    EXPECT_TRUE(ledger->CandidatesOf(1, prompt.position)->empty());
  }
  EXPECT_EQ(without, 1);
  EXPECT_EQ(ledger->ItemFaults(1)->size(), 1u);
}

TEST_F(CoordinatorTest, VotesThatCannotBeReadPauseTheRunUntilItIsToldToGoOn) {
  groups_.judgement = [](uint64_t key) { return key % 4 == 0 ? "Score: 3" : "I like it."; };
  {
    const auto coordinator = Create(Config(), RunDir());
    const auto end = coordinator->Run();
    ASSERT_TRUE(end.ok()) << end.status().message();
    EXPECT_EQ(*end, RunEnd::kPaused);
    EXPECT_NE(coordinator->Status().message().find("judge.min_parse_rate"), std::string::npos);
  }
  const auto end = RunOnce(Config({"judge.min_parse_rate=0"}), RunDir());
  ASSERT_TRUE(end.ok()) << end.status().message();
}

TEST_F(CoordinatorTest, AFailedStartOfARoundKeepsNothingOfItAndTheNextOneHasAll) {
  RunToEnd(Config(), RunDir("whole"));
  const std::string run = RunDir("failed");
  RunToEnd(Config({"run.iterations=0"}), run);  // M1 alone
  // M1's tokenizer is gone when the round begins, after its row was written.
  const std::string tokenizer = run + "/models/M1/tokenizer.json";
  std::filesystem::rename(tokenizer, tokenizer + ".away");
  EXPECT_FALSE(RunOnce(Config(), run).ok());
  EXPECT_FALSE(Take(ledger::Ledger::OpenReadOnly(run))->Round(1)->has_value());
  std::filesystem::rename(tokenizer + ".away", tokenizer);
  RunToEnd(Config(), run);
  for (const char* table : {"prompts", "candidates", "pairs"})
    EXPECT_EQ(Table(RunDir("whole"), table), Table(run, table)) << table;
}

TEST_F(CoordinatorTest, TheLastModelsJudgingPausesTheRunToo) {
  const auto coordinator = Create(Config(), RunDir());
  groups_.judgement = [this](uint64_t key) {
    return groups_.trainers < 2 ? "Score: " + std::to_string(key % 6) : std::string("I like it.");
  };
  const auto end = coordinator->Run();
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(*end, RunEnd::kPaused);
  EXPECT_NE(coordinator->Status().message().find("M2"), std::string::npos) << coordinator->Status().message();
}

TEST_F(CoordinatorTest, AWatcherSeesHowTheRunEnds) {
  std::promise<void> watched;  // before anything fails
  groups_.failing_starts = 100;
  groups_.before_failing = [&] { watched.get_future().wait_for(std::chrono::seconds(20)); };
  const auto coordinator = Create(Config({"coordinator.max_relaunches=0"}), RunDir());
  const auto stub =
      v1::RunService::NewStub(*rpc::MakeRunChannel(RunDir(), *rpc::ReadRunAddress(RunDir()), rpc::Right::kRead));
  v1::RunStatus last;
  std::thread watch([&] {
    grpc::ClientContext context;
    v1::WatchStatusRequest request;
    request.set_interval_ms(10);
    const auto reader = stub->WatchStatus(&context, request);
    for (bool first = true; reader->Read(&last); first = false)
      if (first) watched.set_value();
    (void)reader->Finish();
  });
  EXPECT_FALSE(coordinator->Run().ok());
  watch.join();
  EXPECT_EQ(last.state(), "failed");
  EXPECT_NE(last.message().find("no memory"), std::string::npos) << last.message();
}

TEST_F(CoordinatorTest, TooFewPairsPauseTheRunAndItGoesOnAsItSays) {
  groups_.judgement = [](uint64_t key) { return fmt::format("Score: {}", key % 6); };
  auto coordinator = Create(Config({"pairs.min_gap=2", "pairs.min_pairs_per_round=5"}), RunDir());
  const auto end = coordinator->Run();
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(*end, RunEnd::kPaused);
  const std::string message = coordinator->Status().message();
  const auto pairs = coordinator->Status().rounds(1).pairs();
  ASSERT_TRUE(pairs > 0 && pairs < 5) << pairs;
  EXPECT_NE(message.find(fmt::format("5 prompts gave {} pairs, and pairs.min_pairs_per_round asks for 5", pairs)),
            std::string::npos)
      << message;
  const std::string change = fmt::format("pairs.min_pairs_per_round={}", pairs);
  EXPECT_NE(message.find("--set " + change), std::string::npos) << message;
  coordinator.reset();
  const auto again = RunOnce(Config({"pairs.min_gap=2", change}), RunDir());
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(*again, RunEnd::kDone);
}

TEST_F(CoordinatorTest, TiesAloneTeachNothingAndPauseTheRun) {
  groups_.judgement = [](uint64_t) { return "Score: 3"; };  // all tie
  const auto coordinator = Create(Config(), RunDir());
  const auto end = coordinator->Run();
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(*end, RunEnd::kPaused);
  EXPECT_NE(coordinator->Status().message().find("all 5 prompts ended in ties"), std::string::npos);
  EXPECT_EQ(coordinator->Status().rounds(1).ties(), 5u);
}

TEST_F(CoordinatorTest, AWorkerThatDiesIsReplacedAndChangesNothing) {
  RunToEnd(Config(), RunDir("calm"));
  groups_.workers = 0;
  groups_.dying_workers = 2;
  const auto end = RunOnce(Config({"coordinator.max_item_tries=4"}), RunDir("deaths"));
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_GE(groups_.workers, 3);
  for (const char* table : {"prompts", "candidates", "pairs"})
    EXPECT_EQ(Table(RunDir("calm"), table), Table(RunDir("deaths"), table)) << table;
}

TEST_F(CoordinatorTest, WorkersThatAlwaysDieEndTheRunWithTheirLastLines) {
  groups_.dying_workers = 100;
  const auto end = RunOnce(Config({"coordinator.max_item_tries=100", "coordinator.max_relaunches=2"}), RunDir());
  ASSERT_FALSE(end.ok());
  EXPECT_NE(end.status().message().find("no memory"), std::string::npos) << end.status().message();
  EXPECT_EQ(groups_.workers, 3);
}

TEST_F(CoordinatorTest, ATrainerThatDiesIsStartedAgain) {
  groups_.failing_starts = 2;
  const auto end = RunOnce(Config(), RunDir());
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ((*(*ledger::Ledger::OpenReadOnly(RunDir()))->Job("sft"))->tries, 3);
}

TEST_F(CoordinatorTest, ATrainerThatAlwaysDiesEndsTheRunWithItsLastLines) {
  groups_.failing_starts = 100;
  const auto end = RunOnce(Config({"coordinator.max_relaunches=1"}), RunDir());
  ASSERT_FALSE(end.ok());
  EXPECT_NE(end.status().message().find("no memory"), std::string::npos) << end.status().message();
  EXPECT_EQ(groups_.trainers, 2);
}

TEST_F(CoordinatorTest, TheSameStepsAgainAreNoProgressOfATrainerThatAlwaysDies) {
  groups_.failing_starts = 100;
  groups_.steps_of_failing = 1;
  const auto end = RunOnce(Config({"coordinator.max_relaunches=2"}), RunDir());
  ASSERT_FALSE(end.ok());
  EXPECT_NE(end.status().message().find("without getting further"), std::string::npos) << end.status().message();
  EXPECT_EQ(groups_.trainers, 3);
  const auto job = Take((*ledger::Ledger::OpenReadOnly(RunDir()))->Job("sft"));
  EXPECT_EQ(job->step, 1u);
  EXPECT_EQ(job->first_loss, 0.75);
}

TEST_F(CoordinatorTest, AFailureThatAnotherLaunchMayMendIsNotTheEnd) {
  groups_.failing_starts = 1;
  groups_.failure_code = static_cast<int>(Code::kUnavailable);
  const auto end = RunOnce(Config(), RunDir());
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_NE(Table(RunDir(), "events").find("the trainer's own words"), std::string::npos);
  for (const auto& entry : std::filesystem::directory_iterator(RunDir() + "/models"))
    EXPECT_EQ(entry.path().filename().string().find(".tmp."), std::string::npos) << entry.path();
}

TEST_F(CoordinatorTest, ADivergedLossEndsTheRunAtOnce) {
  groups_.failing_starts = 1;
  groups_.failure_code = static_cast<int>(Code::kFailedPrecondition);
  const auto end = RunOnce(Config(), RunDir());
  ASSERT_FALSE(end.ok());
  EXPECT_NE(end.status().message().find("the trainer's own words"), std::string::npos) << end.status().message();
  EXPECT_EQ(groups_.trainers, 1);
}

TEST_F(CoordinatorTest, AModelWhoseTrainerDiedBeforeSayingSoIsTaken) {
  groups_.silent_ends = 1;
  const auto end = RunOnce(Config(), RunDir());
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(groups_.trainers, 2);  // M1 and M2, none twice
  EXPECT_EQ((*(*ledger::Ledger::OpenReadOnly(RunDir()))->Job("sft"))->tries, 1);
}

TEST_F(CoordinatorTest, AFinishedModelIsTakenByTheNextCoordinatorUnlessItIsNotWhole) {
  const std::string run = RunDir();
  groups_.silent_ends = 1;
  groups_.failing_starts = 0;
  EXPECT_FALSE(RunOnce(Config({"coordinator.max_relaunches=0"}), run).ok());  // the job is not done: so it was killed
  EXPECT_TRUE(std::filesystem::exists(run + "/models/M1/config.json"));
  groups_.trainers = 0;
  RunToEnd(Config({"run.iterations=0", "coordinator.max_relaunches=0"}), run);
  EXPECT_EQ(groups_.trainers, 0);

  const std::string torn = RunDir("torn");
  groups_.silent_ends = 1;
  EXPECT_FALSE(RunOnce(Config({"coordinator.max_relaunches=0"}), torn).ok());
  std::ofstream(torn + "/models/M1/config.json", std::ios::app) << " ";
  groups_.trainers = 0;
  RunToEnd(Config({"run.iterations=0"}), torn);
  EXPECT_EQ(groups_.trainers, 1);
}

TEST_F(CoordinatorTest, ASecondCoordinatorAndAnotherMethodAreRefused) {
  const auto coordinator = Create(Config(), RunDir());
  EXPECT_EQ(Coordinator::Create(Config(), RunDir(), {}).status().code(), Code::kFailedPrecondition);
  const auto other = Create(Config(), RunDir("other"));
  ASSERT_NE(other, nullptr);
}

TEST_F(CoordinatorTest, GoingOnWithAnotherMethodIsRefusedByKey) {
  {
    Create(Config(), RunDir());
  }
  const Status status = Coordinator::Create(Config({"dpo.beta=0.5"}), RunDir(), {}).status();
  EXPECT_EQ(status.code(), Code::kFailedPrecondition);
  EXPECT_NE(status.message().find("dpo.beta"), std::string::npos) << status.message();
}

TEST_F(CoordinatorTest, WithoutALauncherItSaysWhatToStart) {
  const auto coordinator = Create(Config(), RunDir(), false);
  std::thread work([&] { EXPECT_TRUE(coordinator->Run().ok()); });
  // The loop answers after its first turns, in which it asked for the job.
  const auto stub =
      v1::RunService::NewStub(*rpc::MakeRunChannel(RunDir(), *rpc::ReadRunAddress(RunDir()), rpc::Right::kRead));
  for (int i = 0; i < 3; ++i)
    (void)rpc::Call(*stub, &v1::RunService::Stub::GetStatus, v1::GetStatusRequest(), 10, "GetStatus");
  coordinator->Stop();
  work.join();
  EXPECT_NE(notices_.find("/programs/srlm-trainer"), std::string::npos) << notices_;
  EXPECT_NE(notices_.find("--job-id sft"), std::string::npos) << notices_;
}

}  // namespace
}  // namespace srlm::rounds
