#include "coordinator/launcher/slurm_nodes.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <thread>

#include "tests/temporary_folder.h"

namespace srlm::launcher {
namespace {

using Names = std::vector<std::string>;

/// Programs named sinfo, squeue and scontrol that are found first, and say that.
class SlurmCommands {
 public:
  SlurmCommands(const std::string& states, const std::string& nodes) {
    Make("sinfo", states);
    Make("squeue", "nodes\\n");
    Make("scontrol", nodes);
    setenv("PATH", (folder_.path() + ":" + path_).c_str(), 1);
  }
  ~SlurmCommands() { setenv("PATH", path_.c_str(), 1); }

 private:
  void Make(const std::string& name, const std::string& answer) {
    const std::string script = folder_.Write(name, "#!/bin/sh\nprintf '" + answer + "'\n");
    EXPECT_EQ(chmod(script.c_str(), 0755), 0);
  }
  TemporaryFolder folder_;
  std::string path_ = getenv("PATH");
};

class SlurmNodesTest : public ::testing::Test {
 protected:
  SlurmNodes nodes_{{.id = "12", .restarts = 0, .nodes = {"n1", "n2", "n3"}, .cpus = {2, 2, 2}}};
  Clock::time_point now_ = Clock::now();
};

TEST_F(SlurmNodesTest, GroupsGoWhereFewAre) {
  EXPECT_EQ(nodes_.Choose(2, {}, now_), (Names{"n1", "n2"}));
  nodes_.Occupy({"n1", "n2"});
  EXPECT_EQ(nodes_.Choose(1, {}, now_), Names{"n3"});
  EXPECT_EQ(nodes_.Choose(1, {"n2"}, now_), Names{"n2"}) << "what was asked for comes first";
  EXPECT_EQ(nodes_.Choose(9, {}, now_).size(), 3U);
  nodes_.Release({"n1", "n2"});
  EXPECT_EQ(nodes_.Choose(1, {}, now_), Names{"n1"});
}

TEST(SlurmNodes, RanksThatBelongTogetherGoOnAsFewNodesAsHaveTheirCores) {
  const Clock::time_point now = Clock::now();
  SlurmNodes nodes({.id = "12", .restarts = 0, .nodes = {"small", "big", "large"}, .cpus = {2, 8, 8}});
  EXPECT_EQ(nodes.ChooseFew(4, 2, {}, now), Names{"big"});
  EXPECT_EQ(nodes.ChooseFew(2, 1, {}, now), Names{"small"});
  EXPECT_EQ(nodes.ChooseFew(8, 2, {}, now), (Names{"big", "large"}));
  nodes.Occupy({"big"});
  EXPECT_EQ(nodes.ChooseFew(4, 2, {}, now), Names{"large"});
  EXPECT_EQ(nodes.ChooseFew(3, 0, {"big"}, now), Names{"big"}) << "what was asked for comes first";
  EXPECT_EQ(nodes.ChooseFew(64, 1, {}, now).size(), 3U) << "nowhere are the cores: spread out";
}

TEST_F(SlurmNodesTest, ANodeThatFailedIsTriedLastForAMinute) {
  nodes_.NoteFailure("n1", now_);
  EXPECT_EQ(nodes_.Choose(3, {"n1"}, now_), (Names{"n2", "n3", "n1"}));
  EXPECT_EQ(nodes_.Choose(1, {"n1"}, now_ + std::chrono::seconds(61)), Names{"n1"});
}

TEST_F(SlurmNodesTest, ANodeThatWasGivenUpIsUsedOnlyWhenThereIsNoOther) {
  nodes_.GiveUp("n2");
  EXPECT_EQ(nodes_.Choose(3, {"n2"}, now_), (Names{"n1", "n3"}));
  nodes_.GiveUp("n1");
  nodes_.GiveUp("n3");
  EXPECT_EQ(nodes_.Choose(3, {}, now_).size(), 3U);
}

TEST_F(SlurmNodesTest, NodesThatAreDownOrThatTheJobHasLostAreLeftOut) {
  const SlurmCommands commands("n1 mixed\\nn2 down*\\nn3 allocated\\nn4 idle\\nother down\\n", "n1\\nn2\\nn3\\n");
  SlurmNodes nodes({.id = "12", .restarts = 0, .nodes = {"n1", "n2", "n3", "n4"}, .cpus = {2, 2, 2, 2}});
  const Deadline deadline = Deadline::AfterSeconds(20);
  while (nodes.Choose(4, {}, now_).size() == 4 && !deadline.Expired()) {
    nodes.Poll(now_);
    std::this_thread::yield();
  }
  EXPECT_EQ(nodes.Choose(4, {}, now_), (Names{"n1", "n3"}));
}

TEST(SlurmNodes, StatesThatRunNothing) {
  for (const char* up : {"idle", "mixed", "allocated", "completing", "draining", "reserved"})
    EXPECT_TRUE(IsUp(up)) << up;
  for (const char* down : {"down", "down*", "idle*", "drained", "fail", "unknown", "powering_down", "powered_down",
                           "rebooting", "failing", "no_respond"})
    EXPECT_FALSE(IsUp(down)) << down;
}

}  // namespace
}  // namespace srlm::launcher
