// Runs under mpirun: every rank is this whole binary.
#include <gtest/gtest.h>

#include "common/parallel/mpi_session.h"
#include "tests/common/parallel/communicator_checks.h"

namespace srlm::parallel {
namespace {

MpiSession* session = nullptr;  // MPI can be started only once in a process

TEST(MpiCommunicator, DoesAllOperations) {
  auto world = session->World();
  ASSERT_TRUE(world.ok());
  EXPECT_EQ((*world)->size(), session->size());
  EXPECT_EQ((*world)->ranks_on_host(), session->size());
  CheckEverything(**world);
}

TEST(MpiCommunicator, EndsAWaitAtItsDeadlineAndNamesTheOperation) {
  auto late = session->World({.timeout_s = 1});
  if (session->size() == 1) {  // one rank waits for nobody
    ASSERT_TRUE(late.ok());
    EXPECT_TRUE((*late)->Barrier("alone").ok());
    return;
  }
  auto meeting = session->World();
  ASSERT_TRUE(late.ok() && meeting.ok());
  if (session->rank() == 0) {
    auto started = (*late)->StartBarrier("a place where rank 1 is not");
    ASSERT_TRUE(started.ok());
    const Status status = started.value()->Wait();
    EXPECT_EQ(status.code(), Code::kDeadlineExceeded);
    EXPECT_NE(status.message().find("barrier #0 'a place where rank 1 is not' on rank 0"), std::string::npos);
  }
  ASSERT_TRUE((*meeting)->Barrier("rank 0 has seen its deadline").ok());
  if (session->rank() != 0) {  // they come late, and find rank 0's part of it
    auto started = (*late)->StartBarrier("late");
    ASSERT_TRUE(started.ok());
    (void)started.value()->Wait();
  }
  ASSERT_TRUE((*meeting)->Barrier("end").ok());
}

}  // namespace
}  // namespace srlm::parallel

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  auto started = srlm::parallel::MpiSession::Start(&argc, &argv);
  if (!started.ok()) return 1;
  srlm::parallel::session = started.value().get();
  return RUN_ALL_TESTS();
}
