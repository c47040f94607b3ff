#include "common/parallel/thread_communicator.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "tests/common/parallel/communicator_checks.h"

namespace srlm::parallel {
namespace {

void RunRanks(int ranks, const CommunicatorOptions& options, const std::function<void(Communicator&)>& body) {
  auto communicators = MakeThreadCommunicators(ranks, options);
  std::vector<std::thread> threads;
  for (auto& communicator : communicators) threads.emplace_back([&body, &communicator] { body(*communicator); });
  for (std::thread& thread : threads) thread.join();
}

TEST(ThreadCommunicator, DoesAllOperationsOnAnyNumberOfRanks) {
  for (const int ranks : {1, 2, 3, 4}) {
    RunRanks(ranks, {}, [](Communicator& communicator) { CheckEverything(communicator); });
  }
}

TEST(ThreadCommunicator, NamesTheOperationAndTheMissingRankAtTheDeadline) {
  RunRanks(3, {.timeout_s = 0.05}, [](Communicator& communicator) {
    if (communicator.rank() == 1) return;
    const Status status = communicator.Barrier("end of step 7");
    EXPECT_EQ(status.code(), Code::kDeadlineExceeded);
    EXPECT_NE(status.message().find("barrier #0 'end of step 7'"), std::string::npos) << status.message();
    EXPECT_NE(status.message().find("not there yet: rank 1"), std::string::npos) << status.message();
  });
}

TEST(ThreadCommunicator, ARankThatComesAfterTheDeadlineDoesNotTouchWhatTheOthersLeft) {
  auto communicators = MakeThreadCommunicators(2, {.timeout_s = 0.05});
  {
    std::vector<float> gone = {1, 2, 3};
    EXPECT_EQ(communicators[0]->AllReduceSum(BufferOf(std::span(gone)), "sum").code(), Code::kDeadlineExceeded);
  }
  std::vector<float> late = {10, 20, 30};
  const Status status = communicators[1]->AllReduceSum(BufferOf(std::span(late)), "sum");
  EXPECT_EQ(status.code(), Code::kDeadlineExceeded);
  EXPECT_NE(status.message().find("rank 0 waited"), std::string::npos) << status.message();
  EXPECT_EQ(late, std::vector<float>({10, 20, 30}));
}

TEST(ThreadCommunicator, AgreementTellsAFailureOfAllFromAFailureToAsk) {
  RunRanks(2, {.timeout_s = 0.05}, [](Communicator& communicator) {
    const Agreement bad = Agree(communicator, communicator.rank() == 1 ? NotFound("a file") : OkStatus(), "checks");
    EXPECT_TRUE(bad.together);
    EXPECT_EQ(bad.status.code(), communicator.rank() == 1 ? Code::kNotFound : Code::kAborted);
    if (communicator.rank() == 1) return;
    const Agreement alone = Agree(communicator, OkStatus(), "nobody comes");
    EXPECT_FALSE(alone.together);
    EXPECT_EQ(alone.status.code(), Code::kDeadlineExceeded);
    EXPECT_EQ(Agree(communicator, NotFound("mine"), "nobody comes").status.code(), Code::kNotFound);
  });
}

TEST(ThreadCommunicator, FailsOnAllRanksWhenTheyAreAtDifferentOperations) {
  RunRanks(2, {.timeout_s = 10}, [](Communicator& communicator) {
    std::vector<float> values(communicator.rank() == 0 ? 4 : 5);
    const Status status = communicator.AllReduceSum(BufferOf(std::span(values)), "gradients");
    EXPECT_EQ(status.code(), Code::kFailedPrecondition);
  });
}

}  // namespace
}  // namespace srlm::parallel
