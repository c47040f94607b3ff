#include "common/parallel/rank_board.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <regex>

namespace srlm::parallel {
namespace {

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
bool Matches(const std::string& text, const std::string& pattern) {
  return std::regex_match(text, std::regex(pattern));
}

RankState Of(int rank, int64_t operations, Doing doing, double age_s = 0.1) {
  return {.rank = rank,
          .host = "node" + std::to_string(rank),
          .pid = 100 + rank,
          .doing = doing,
          .what = "all-reduce #40 'gradients'",
          .phase = "step 17",
          .operations = operations,
          .stood_still_s = 0,
          .for_s = 60 + age_s,
          .age_s = age_s};
}

TEST(RankBoard, KnowsWhatThisRankDoes) {
  RankBoard board(1, 3);
  board.SetPhase("step 3");
  EXPECT_EQ(board.BeginOperation("all-reduce #0 'a'"), 1);
  EXPECT_EQ(board.Own().doing, Doing::kComputing);
  const uint64_t changes = board.changes();
  board.BeginWait("all-reduce #0 'a'");
  EXPECT_GT(board.changes(), changes);
  const RankState state = board.Own();
  EXPECT_EQ(state.doing, Doing::kWaiting);
  EXPECT_EQ(state.operations, 1);
  EXPECT_EQ(state.pid, getpid());
  EXPECT_TRUE(Matches(Describe(state), "waiting in all-reduce #0 'a' \\(step 3\\) since [0-9:]{8} UTC, 0.0 s"))
      << Describe(state);
  board.BeginAlone("writing a checkpoint");
  EXPECT_TRUE(Contains(Describe(board.Own()), "busy alone with writing a checkpoint"));
  board.Compute();
  EXPECT_EQ(board.Own().what, "all-reduce #0 'a'");
}

TEST(RankBoard, NamesTheSilentRankAndNotThoseThatWaitForIt) {
  RankBoard board(0, 4);
  board.Hear(Of(1, 41, Doing::kWaiting));
  board.Hear(Of(2, 40, Doing::kWaiting, 61));
  board.Hear(Of(3, 40, Doing::kWaiting));
  const std::string said = board.WhoIsBehind(41);
  EXPECT_TRUE(Matches(said,
                      "rank 2 \\(node2, process 102\\) has not been heard for 61.0 s: .*last heard waiting in "
                      "all-reduce #40 'gradients' \\(step 17\\) since [0-9:]{8} UTC, 121.0 s"))
      << said;
}

TEST(RankBoard, NamesTheRankThatIsHeardAndBehind) {
  RankBoard board(0, 3);
  board.Hear(Of(1, 40, Doing::kComputing));
  board.Hear(Of(2, 40, Doing::kWaiting));
  const std::string said = board.WhoIsBehind(41);
  EXPECT_TRUE(Contains(said,
                       "rank 1 (node1, process 101) is heard, and computing after the begin of all-reduce #40 "
                       "'gradients' (step 17) since "))
      << said;
  EXPECT_FALSE(Contains(said, "rank 2")) << said;
  board.Hear(Of(1, 41, Doing::kWaiting, 0));
  board.Hear(Of(2, 41, Doing::kWaiting, 0));
  EXPECT_TRUE(Contains(board.WhoIsBehind(41), "data does not pass between them"));
}

TEST(RankBoard, NamesTheRankThatStoodStillUntilJustNow) {
  RankBoard board(0, 3);
  RankState woken = Of(1, 41, Doing::kWaiting);
  woken.stood_still_s = 61;
  board.Hear(woken);
  board.Hear(Of(2, 41, Doing::kWaiting));
  const std::string said = board.WhoIsBehind(41);
  EXPECT_TRUE(said.starts_with("rank 1 (node1, process 101) stood still for 61.0 s until just now: ")) << said;
  EXPECT_FALSE(Contains(said, "rank 2")) << said;
  EXPECT_EQ(board.Own().stood_still_s, 0);
  board.NoteStandstill(7);
  EXPECT_EQ(board.Own().stood_still_s, 7);
}

TEST(RankBoard, WithoutRank0NothingIsSaidOfTheOthers) {
  RankBoard board(1, 4);
  board.Hear(Of(0, 40, Doing::kAlone, 5));
  board.Hear(Of(2, 39, Doing::kComputing, 5.2));
  const std::string said = board.WhoIsBehind(41);
  EXPECT_TRUE(said.starts_with("rank 0 (node0, process 100) has not been heard for 5.0 s")) << said;
  EXPECT_FALSE(Contains(said, "rank 2") || Contains(said, "rank 3")) << said;
  EXPECT_FALSE(board.AnotherIsBusyAlone());
}

TEST(RankBoard, SaysOfWhomItNeverHeard) {
  RankBoard board(0, 4);
  board.Hear(Of(2, 41, Doing::kWaiting));
  EXPECT_EQ(board.WhoIsBehind(41), "never heard of rank 1, 3");
}

TEST(RankBoard, OlderWordsChangeNothing) {
  RankBoard board(0, 2);
  board.Hear(Of(1, 41, Doing::kAlone, 0));
  board.Hear(Of(1, 40, Doing::kComputing, 3));
  EXPECT_EQ(board.Heard().front().operations, 41);
  EXPECT_LT(board.AnotherIsBusyAlone().value_or(99), 1);
  board.Hear(Of(0, 7, Doing::kAlone, 0));  // nobody else knows better what this rank does
  EXPECT_EQ(board.Own().operations, 0);
}

TEST(RankState, OnlyWhatARankSaysIsTaken) {
  const std::string text = Encode({Of(0, 1, Doing::kAlone), Of(2, 3, Doing::kWaiting)}, true);
  const auto decoded = Decode(text, 3);
  ASSERT_TRUE(decoded.ok()) << decoded.status().message();
  EXPECT_TRUE(decoded->asks_for_all);
  ASSERT_EQ(decoded->states.size(), 2u);
  EXPECT_EQ(decoded->states[1].host, "node2");
  EXPECT_EQ(decoded->states[1].what, "all-reduce #40 'gradients'");
  EXPECT_EQ(decoded->states[0].doing, Doing::kAlone);
  EXPECT_FALSE(Decode(text, 2).ok()) << "there is no rank 2 of 2";
  for (const char* wrong :
       {"", "{}", "[1]", R"({"all": false, "ranks": [{"rank": "x"}]})", R"({"all": 1, "ranks": 3})", "\xff\xfe"}) {
    EXPECT_FALSE(Decode(wrong, 3).ok()) << wrong;
  }
}

}  // namespace
}  // namespace srlm::parallel
