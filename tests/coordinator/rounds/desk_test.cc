// What the coordinator answers to workers that come late, fall silent, or say what cannot be.
#include "coordinator/rounds/desk.h"

#include <cmath>
#include <filesystem>
#include <limits>
#include <thread>

#include "common/rpc/channel.h"
#include "coordinator/rounds/coordinator.h"
#include "srlm/v1/run.grpc.pb.h"
#include "srlm/v1/training.grpc.pb.h"
#include "tests/coordinator/rounds/fake_launcher.h"
#include "tests/coordinator/rounds/fake_worker.h"
#include "tests/coordinator/rounds/run_files.h"

namespace srlm::rounds {
namespace {

// M1 is there, and a coordinator without a launcher waits for workers.
class DeskTest : public RunFilesTest {
 protected:
  void Start(const std::vector<std::string>& more = {}) {
    {
      std::vector<std::string> short_run = more;
      short_run.push_back("run.iterations=0");
      const auto first = Coordinator::Create(Config(short_run), RunDir(), FastOptions(groups_));
      ASSERT_TRUE(first.ok()) << first.status().message();
      ASSERT_TRUE((*first)->Run().ok());
    }
    auto created = Coordinator::Create(Config(more), RunDir(), {});
    ASSERT_TRUE(created.ok()) << created.status().message();
    coordinator_ = std::move(*created);
    thread_ = std::thread([this] { end_ = coordinator_->Run().status(); });
  }
  void End() {
    coordinator_->Stop();
    thread_.join();
    coordinator_.reset();
  }
  void TearDown() override {
    if (thread_.joinable()) End();
    RunFilesTest::TearDown();
  }
  std::unique_ptr<ledger::Ledger> Ledger() { return *ledger::Ledger::OpenReadOnly(RunDir()); }

  FakeGroups groups_;
  std::unique_ptr<Coordinator> coordinator_;
  std::thread thread_;
  Status end_;
};

TEST_F(DeskTest, AnotherEpochIsRefusedByEveryCall) {
  Start();
  const auto address = rpc::ReadRunAddress(RunDir());
  const auto channel = *rpc::MakeRunChannel(RunDir(), *address, rpc::Right::kWork);
  const auto work = v1::WorkService::NewStub(channel);
  const auto training = v1::TrainingService::NewStub(channel);
  const auto code = [&](const auto& answer) { return answer.status().code(); };
  for (const uint64_t epoch : {address->epoch - 1, address->epoch + 1}) {
    v1::RegisterRequest join;
    join.set_run_id(address->run_id);
    join.set_epoch(epoch);
    EXPECT_EQ(code(rpc::Call(*work, &v1::WorkService::Stub::Register, join, 10, "")), Code::kFailedPrecondition);
    v1::LeaseRequest lease;
    lease.set_epoch(epoch);
    EXPECT_EQ(code(rpc::Call(*work, &v1::WorkService::Stub::Lease, lease, 10, "")), Code::kFailedPrecondition);
    v1::RenewRequest renew;
    renew.set_epoch(epoch);
    EXPECT_EQ(code(rpc::Call(*work, &v1::WorkService::Stub::Renew, renew, 10, "")), Code::kFailedPrecondition);
    v1::SubmitRequest submit;
    submit.set_epoch(epoch);
    EXPECT_EQ(code(rpc::Call(*work, &v1::WorkService::Stub::Submit, submit, 10, "")), Code::kFailedPrecondition);
    v1::LeaveRequest leave;
    leave.set_epoch(epoch);
    EXPECT_EQ(code(rpc::Call(*work, &v1::WorkService::Stub::Leave, leave, 10, "")), Code::kFailedPrecondition);
    v1::TrainingDone done;
    done.set_epoch(epoch);
    EXPECT_EQ(code(rpc::Call(*training, &v1::TrainingService::Stub::ReportDone, done, 10, "")),
              Code::kFailedPrecondition);
  }
}

TEST_F(DeskTest, AnExpiredLeaseIsLeasedAgainAndTheFirstResultWins) {
  Start({"coordinator.lease_timeout_s=0.2"});
  FakeWorker slow(RunDir(), "", 1), other(RunDir(), "", 2);
  const v1::LeaseResponse lost = slow.Lease(1);
  ASSERT_EQ(lost.items_size(), 1);
  // The other worker leases until it gets the same item.
  const Deadline deadline = Deadline::AfterSeconds(20);
  std::string again;
  v1::LeaseResponse lease;
  while (again != lost.items(0).item_id() && !deadline.Expired()) {
    lease = other.Lease(1);
    if (lease.items_size() > 0) again = lease.items(0).item_id();
  }
  ASSERT_EQ(again, lost.items(0).item_id());
  EXPECT_NE(lease.lease_id(), lost.lease_id());
  EXPECT_EQ(slow.Submit({slow.Answer(lost.items(0), lost.lease_id())})->stored(), 1u) << "late, and the first";
  EXPECT_EQ(other.Submit({other.Answer(lease.items(0), lease.lease_id())})->duplicates(), 1u);
  End();
  EXPECT_TRUE(end_.ok()) << end_.message();
}

TEST_F(DeskTest, AWorkerThatFallsSilentIsForgotten) {
  Start({"coordinator.lease_timeout_s=0.1"});
  FakeWorker silent(RunDir(), "", 1);
  ASSERT_GT(silent.Lease(1).items_size(), 0);
  const auto stub =
      v1::RunService::NewStub(*rpc::MakeRunChannel(RunDir(), *rpc::ReadRunAddress(RunDir()), rpc::Right::kRead));
  const Deadline deadline = Deadline::AfterSeconds(20);
  int workers = 1;
  while (workers > 0 && !deadline.Expired())
    workers = rpc::Call(*stub, &v1::RunService::Stub::GetStatus, v1::GetStatusRequest(), 10, "")->workers_size();
  EXPECT_EQ(workers, 0);
}

// Whether votes are sampled or expected.
class WrongResults : public DeskTest, public testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Verdicts, WrongResults, testing::Values("sampled", "expected"));

TEST_P(WrongResults, ThatAreNoNumberOrNoTextAreRefusedAndTheRunGoesOn) {
  Start({"coordinator.max_item_tries=10", std::string("judge.verdict=") + GetParam()});
  FakeWorker worker(RunDir(), "", 1);
  int refused = 0;
  std::set<v1::Purpose> seen;
  const Deadline deadline = Deadline::AfterSeconds(30);
  while (seen.size() < 3 && !deadline.Expired()) {
    const v1::LeaseResponse lease = worker.Lease(1);
    for (const v1::Item& item : lease.items()) {
      const v1::ItemResult right = worker.Answer(item, lease.lease_id());
      for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
        v1::ItemResult wrong = right;
        if (wrong.samples_size() > 0) wrong.mutable_samples(wrong.samples_size() - 1)->set_logprob(bad);
        if (wrong.choice_logprobs_size() > 0) wrong.set_choice_logprobs(1, bad);
        refused += static_cast<int>(worker.Submit({wrong})->refused());
      }
      EXPECT_EQ(refused, 2) << item.item_id();
      refused = 0;
      if (right.samples_size() > 0) {
        v1::ItemResult wrong = right;
        wrong.mutable_samples(wrong.samples_size() - 1)->set_token_ids(0, -5);
        EXPECT_EQ(worker.Submit({wrong})->refused(), 1u) << item.item_id();
      }
      EXPECT_EQ(worker.Submit({right})->stored(), 1u) << item.item_id();
      seen.insert(item.purpose());
    }
  }
  EXPECT_EQ(seen.size(), 3u) << "new prompts, candidates, votes";
  End();
  EXPECT_TRUE(end_.ok()) << end_.message();
  const auto ledger = Ledger();
  const std::vector<ledger::PromptRow> prompts = *ledger->Prompts(1);
  for (const auto& prompt : prompts) {
    const std::vector<ledger::CandidateRow> candidates = *ledger->CandidatesOf(1, prompt.position);
    EXPECT_TRUE(candidates.empty() || candidates.size() == 3u) << "all of a prompt's candidates or none";
  }
}

}  // namespace
}  // namespace srlm::rounds
