// Checkpoints of any number of ranks and any sharding, read at any other.
#include "trainer/job/job_checkpoints.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "common/parallel/thread_communicator.h"
#include "tests/temporary_folder.h"
#include "trainer/job/identity.h"
#include "trainer/network/cpu_network.h"

namespace srlm::trainer {
namespace {

using config::Sharding;

/// A job's parts on one rank.
struct Rank {
  Rank(const TrainerOptions& options, parallel::Communicator& communicator)
      : network(Parameters::Load(options.model, options.sharding, communicator, nullptr).value(), 64),
        optimizer(network.parameters().table(), network.parameters().Owned(), {}),
        trainer({}, {}, network, &optimizer, communicator),
        checkpoints(options, communicator, network, optimizer, trainer) {}

  /// Calls `visit` with the place in the model of each value that this rank owns (the parameter, and which element of
  /// it), and the kinds of values there.
  void Visit(const std::function<void(size_t parameter, int64_t element, float* kinds[3])>& visit) {
    const model::ParameterTable& table = network.parameters().table();
    for (const OwnedStretch& owned : network.parameters().Owned()) {
      for (size_t i = 0; i < table.parameters.size(); ++i) {
        const model::Parameter& parameter = table.parameters[i];
        const auto stretch_end = owned.begin + owned.count();
        const int64_t end = std::min(parameter.offset + parameter.elements, stretch_end);
        for (int64_t at = std::max(parameter.offset, owned.begin); at < end; ++at) {
          float* kinds[3] = {owned.weights.data_ptr<float>() + at - owned.begin,
                             optimizer.first_moment(at, 1).data_ptr<float>(),
                             optimizer.second_moment(at, 1).data_ptr<float>()};
          visit(i, at - parameter.offset, kinds);
        }
      }
    }
  }

  CpuNetwork network;
  AdamW optimizer;
  Trainer trainer;
  JobCheckpoints checkpoints;
};

float ValueOf(size_t parameter, int64_t element, int kind) {
  return static_cast<float>(parameter * 1000003 + static_cast<size_t>(element) * 31 + static_cast<size_t>(kind)) *
         1e-3f;
}

class JobCheckpointsTest : public testing::Test {
 protected:
  TrainerOptions OptionsOf(Sharding sharding) {
    TrainerOptions options;
    options.model = std::string(std::getenv("SRLM_SOURCE")) + "/tests/reference/models/llama3";
    options.out = folder_.Path("out");
    options.sharding = sharding;
    return options;
  }

  /// On ranks that are threads.
  void OnRanks(int ranks, Sharding sharding, const std::function<void(Rank& rank, int number)>& work) {
    const TrainerOptions options = OptionsOf(sharding);
    const auto communicators = parallel::MakeThreadCommunicators(ranks, {.timeout_s = 60});
    std::vector<std::thread> threads;
    for (int number = 0; number < ranks; ++number) {
      threads.emplace_back([&, number] {
        Rank rank(options, *communicators[static_cast<size_t>(number)]);
        work(rank, number);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  void Save(int ranks, Sharding sharding) {
    OnRanks(ranks, sharding, [&](Rank& rank, int) {
      rank.Visit([](size_t parameter, int64_t element, float* kinds[3]) {
        for (int kind = 0; kind < 3; ++kind) *kinds[kind] = ValueOf(parameter, element, kind);
      });
      const Status saved = rank.checkpoints.Save(State(ranks));
      EXPECT_TRUE(saved.ok()) << saved.message();
    });
  }

  static checkpoint::TrainingState State(int ranks) {
    checkpoint::TrainingState state;
    state.identity.settings = {{kRanks, std::to_string(ranks)}, {kThreads, "1"}};
    state.step = 7;
    return state;
  }

  void ExpectLoads(int ranks, Sharding sharding, int written_by) {
    OnRanks(ranks, sharding, [&](Rank& rank, int number) {
      checkpoint::TrainingState state = State(ranks);
      state.step = 0;
      const Status loaded = rank.checkpoints.Load(state);
      ASSERT_TRUE(loaded.ok()) << loaded.message();
      EXPECT_EQ(state.step, 7);
      EXPECT_EQ(rank.optimizer.steps(), 7);
      EXPECT_EQ(rank.checkpoints.written_by(), written_by);
      int wrong = 0;
      rank.Visit([&](size_t parameter, int64_t element, float* kinds[3]) {
        for (int kind = 0; kind < 3; ++kind) wrong += *kinds[kind] == ValueOf(parameter, element, kind) ? 0 : 1;
      });
      EXPECT_EQ(wrong, 0) << "rank " << number << " of " << ranks << ", " << config::NameOf(sharding);
    });
  }

  TemporaryFolder folder_;
};

TEST_F(JobCheckpointsTest, AreReadAtAnyOtherNumberOfRanksAndSharding) {
  for (const auto& [ranks, sharding] :
       {std::pair{1, Sharding::kNone}, {3, Sharding::kFull}, {2, Sharding::kOptimizer}, {4, Sharding::kNone}}) {
    Save(ranks, sharding);
    for (const int others : {1, 2, 3, 4}) {
      for (const Sharding other : {Sharding::kNone, Sharding::kOptimizer, Sharding::kFull}) {
        ExpectLoads(others, other, ranks);
      }
    }
  }
}

TEST_F(JobCheckpointsTest, EveryRankWritesItsPart) {
  Save(4, Sharding::kNone);
  uintmax_t least = UINTMAX_MAX, most = 0;
  for (int shard = 0; shard < 4; ++shard) {
    const auto bytes = std::filesystem::file_size(folder_.Path("out.checkpoints/step-00000007/") +
                                                  ShardName("weights", shard, 4) + ".f32");
    least = std::min(least, bytes);
    most = std::max(most, bytes);
  }
  EXPECT_LT(static_cast<double>(most - least), 0.01 * static_cast<double>(most));
}

TEST_F(JobCheckpointsTest, ADamagedFileIsNamedOnAllRanksWhoeverVerifiesIt) {
  Save(2, Sharding::kFull);
  for (const char* kind : {"weights", "first_moment", "second_moment"}) {
    for (int shard = 0; shard < 2; ++shard) {
      const std::string file = folder_.Path("out.checkpoints/step-00000007/") + ShardName(kind, shard, 2) + ".f32";
      const auto flip = [&] {
        std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
        const char byte = static_cast<char>(stream.get() ^ 1);
        stream.seekp(0);
        stream.put(byte);
      };
      flip();
      OnRanks(3, Sharding::kOptimizer, [&](Rank& rank, int number) {
        checkpoint::TrainingState state = State(3);
        const Status loaded = rank.checkpoints.Load(state);
        EXPECT_TRUE(loaded.ok()) << loaded.message();  // there is none before it: the job begins anew
        EXPECT_TRUE(rank.checkpoints.path().empty());
        if (number != 0) return;
        ASSERT_EQ(rank.checkpoints.refused().size(), 1u);
        EXPECT_NE(rank.checkpoints.refused()[0].find(file), std::string::npos) << rank.checkpoints.refused()[0];
      });
      flip();
    }
  }
  ExpectLoads(3, Sharding::kOptimizer, 2);
}

TEST_F(JobCheckpointsTest, AFileThatIsMissingIsNoCheckpoint) {
  Save(2, Sharding::kFull);
  std::filesystem::remove(folder_.Path("out.checkpoints/step-00000007/") + ShardName("weights", 1, 2) + ".f32");
  OnRanks(2, Sharding::kFull, [&](Rank& rank, int) {
    checkpoint::TrainingState state = State(2);
    EXPECT_TRUE(rank.checkpoints.Load(state).ok());
    EXPECT_TRUE(rank.checkpoints.path().empty());
  });
}

}  // namespace
}  // namespace srlm::trainer
