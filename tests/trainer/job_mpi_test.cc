// Runs under mpirun: the job on real MPI ranks gives the steps that one rank alone gives.
#include "common/parallel/mpi_session.h"
#include "tests/trainer/job_fixture.h"

namespace srlm::trainer {
namespace {

parallel::MpiSession* session = nullptr;  // MPI can be started only once in a process

class MpiJobTest : public JobTest {
 protected:
  /// Every rank names rank 0's folder.
  void ShareFolder(parallel::Communicator& world) {
    std::vector<char> name(folder_.begin(), folder_.end());
    name.resize(4096);
    ASSERT_TRUE(world.Broadcast(parallel::BufferOf(std::span(name)), 0, "folder").ok());
    shared_ = name.data();
  }
  std::string shared_;
};

TEST_F(MpiJobTest, RanksGiveTheStepsOfOneRankAlone) {
  auto world = session->World({.timeout_s = 60});
  ASSERT_TRUE(world.ok());
  ShareFolder(**world);
  for (const Method method : {Method::kDpo, Method::kSft}) {
    for (const int64_t global_batch : {4, 3}) {
      TrainerOptions options = OptionsOf(method);
      options.global_batch = global_batch;
      const std::string name = std::to_string(global_batch) + std::to_string(static_cast<int>(method));
      options.out = shared_ + "/many" + name;
      options.log = shared_ + "/many" + name + ".jsonl";
      const JobEnd end = RunJob(options, **world, nullptr);
      ASSERT_TRUE(end.status.ok()) << end.status.message();
      if (session->rank() != 0) continue;
      const auto many = StepRows(options.log);
      NameOutputs(options, "one" + name);
      ASSERT_TRUE(RunJob(options, *parallel::MakeSelfCommunicator(), nullptr).status.ok());
      ExpectStepsOfOneJob(many, StepRows(options.log), method == Method::kDpo);
    }
  }
  ASSERT_TRUE((*world)->Barrier("rank 0's folder is read").ok());
}

}  // namespace
}  // namespace srlm::trainer

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  auto started = srlm::parallel::MpiSession::Start(&argc, &argv);
  if (!started.ok()) return 1;
  srlm::trainer::session = started.value().get();
  return RUN_ALL_TESTS();
}
