// Engines whose model is held by several ranks in parts: what one rank gives, whatever the schedule; ranks are threads.
#include "worker/engine/group.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <thread>

#include "common/parallel/thread_communicator.h"
#include "tests/worker/engine/engine_runs.h"
#include "worker/engine/engine.h"

namespace srlm::worker {
namespace {

Status Unchecked(const std::string& /*folder*/, const std::string& /*model_id*/) { return OkStatus(); }

/// Runs `lead` on the first of so many ranks, the others follow; how each of them ended.
std::vector<Status> OnRanks(int ranks, const std::function<void(GroupLeader& group)>& lead,
                            const std::function<Status(const std::string&, const std::string&)>& check = Unchecked) {
  auto communicators = parallel::MakeThreadCommunicators(ranks, {.timeout_s = 60});
  std::vector<Status> ends(static_cast<size_t>(ranks));
  std::vector<std::thread> threads;
  for (int rank = 1; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      ends[static_cast<size_t>(rank)] =
          FollowLeader(*communicators[static_cast<size_t>(rank)], {.threads = 1 + rank % 2}, check);
    });
  }
  {
    GroupLeader group(*communicators[0]);
    lead(group);
  }
  for (std::thread& thread : threads) thread.join();
  return ends;
}

Responses RunOnRanks(int ranks, const std::string& model, EngineOptions options, const std::vector<Request>& requests,
                     bool one_by_one = false) {
  Responses responses;
  const auto ends = OnRanks(ranks, [&](GroupLeader& group) {
    options.group = &group;
    responses = AnswersOf(model, options, requests, one_by_one);
    EXPECT_FALSE(group.failed());
  });
  for (const Status& end : ends) EXPECT_TRUE(end.ok()) << end.message();
  return responses;
}

struct Case {
  const char* model;
  int ranks;
};
class Group : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Models, Group,
                         testing::Values(Case{"llama2", 3}, Case{"llama3", 2}, Case{"llama3", 4}, Case{"mistral", 2},
                                         Case{"smollm2", 3}, Case{"sharded", 4}, Case{"bfloat16", 2}, Case{"qwen2", 2},
                                         Case{"qwen3", 4}, Case{"gemma3", 2}, Case{"gemma3", 4}),
                         [](const auto& info) { return info.param.model + std::to_string(info.param.ranks); });

TEST_P(Group, GivesWhatOneRankGives) {
  const auto& [name, ranks] = GetParam();
  const Responses one = AnswersOf(Model(name), {}, Load(0)), several = RunOnRanks(ranks, Model(name), {}, Load(0));
  ASSERT_EQ(one.size(), several.size());
  for (const auto& [id, response] : one) {
    const Response& other = several.at(id);
    ASSERT_TRUE(other.status.ok()) << other.status.message();
    for (size_t i = 0; i < response.samples.size(); ++i)
      EXPECT_EQ(response.samples[i].token_ids, other.samples[i].token_ids) << id;
    const std::vector<double> values = Values(response), others = Values(other);
    ASSERT_EQ(values.size(), others.size());
    for (size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], others[i], 1e-4) << id;
  }
}

TEST_P(Group, GivesTheSameBitsInAnyBatchAndWithACacheThatIsTooSmall) {
  const auto& [name, ranks] = GetParam();
  EngineOptions alone, crowded;
  alone.share_prefixes = false;
  crowded.compute.threads = 2;
  crowded.prefill_chunk_tokens = 17;
  crowded.kv_cache_bytes = 160 << 10;
  const Responses one_by_one = RunOnRanks(ranks, Model(name), alone, Load(1), true);
  const Responses together = RunOnRanks(ranks, Model(name), crowded, Load(1));
  ASSERT_EQ(one_by_one.size(), together.size());
  for (const auto& [id, response] : one_by_one) {
    ASSERT_TRUE(response.status.ok() && together.at(id).status.ok()) << together.at(id).status.message();
    EXPECT_EQ(Values(response), Values(together.at(id))) << id;
  }
}

TEST(GroupErrors, ANumberOfRanksThatDoesNotDivideTheModelIsRefusedWithThoseThatDo) {
  const auto ends = OnRanks(3, [](GroupLeader& group) {
    EngineOptions options;
    options.group = &group;
    const auto engine = Engine::Create(Model("llama3"), options);
    ASSERT_FALSE(engine.ok());
    EXPECT_NE(engine.status().message().find("possible are 1, 2, 4"), std::string::npos) << engine.status().message();
    EXPECT_FALSE(group.failed());
  });
  for (const Status& end : ends) EXPECT_TRUE(end.ok());  // they were let go
}

TEST(GroupErrors, ARankThatCannotLoadFailsAllAndTheyCanLoadAnother) {
  int refused = 0;
  const auto check = [&refused](const std::string&, const std::string& model_id) {
    return model_id == "wanted" ? OkStatus() : (++refused, FailedPrecondition("other files here"));
  };
  OnRanks(
      2,
      [](GroupLeader& group) {
        EngineOptions options;
        options.group = &group;
        options.model_id = "another";
        const auto engine = Engine::Create(Model("llama3"), options);
        ASSERT_FALSE(engine.ok());
        EXPECT_NE(engine.status().message().find("rank 1: other files here"), std::string::npos)
            << engine.status().message();
        options.model_id = "wanted";
        EXPECT_TRUE(Engine::Create(Model("llama3"), options).ok());
        EXPECT_FALSE(group.failed());
      },
      check);
  EXPECT_EQ(refused, 1);
}

TEST(GroupErrors, RanksOfOneProgramHaveOneVersionAndAnIdOfTheirOwnArithmetic) {
  auto communicators = parallel::MakeThreadCommunicators(2, {.timeout_s = 60});
  std::vector<std::string> ids(2);
  std::vector<std::thread> threads;
  for (size_t rank = 0; rank < 2; ++rank) {
    threads.emplace_back([&, rank] {
      EXPECT_TRUE(CheckSameProgram(*communicators[rank]).ok());
      ids[rank] = *GroupArithmeticId(*communicators[rank], {});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_EQ(ids[0].size(), 16u);
  EXPECT_NE(ids[0], *GroupArithmeticId(*parallel::MakeSelfCommunicator(), {}));
}

}  // namespace
}  // namespace srlm::worker
