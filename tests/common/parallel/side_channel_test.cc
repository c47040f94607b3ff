// Real sockets, the ranks in one process.
#include "common/parallel/side_channel.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>

namespace srlm::parallel {
namespace {

constexpr int kRanks = 6;  // more than one datagram's

bool Await(const std::function<bool()>& there, double seconds = 10) {
  const Deadline deadline = Deadline::AfterSeconds(seconds);
  while (!there()) {
    if (deadline.Expired()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

class SideChannelTest : public testing::Test {
 protected:
  void Connect(bool one_host = true) {
    for (int rank = 0; rank < kRanks; ++rank) boards_.push_back(std::make_unique<RankBoard>(rank, kRanks));
    auto opened = SideChannel::Open(*boards_[0], one_host);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    channels_.push_back(std::move(opened).value());
    for (int rank = 1; rank < kRanks; ++rank) {
      auto joined = SideChannel::Join(*boards_[static_cast<size_t>(rank)], channels_[0]->address());
      ASSERT_TRUE(joined.ok()) << joined.status().message();
      channels_.push_back(std::move(joined).value());
    }
  }
  bool Knows(size_t who, int whom, const std::function<bool(const RankState&)>& is) {
    for (const RankState& state : boards_[who]->Heard()) {
      if (state.rank == whom && is(state)) return true;
    }
    return false;
  }

  std::vector<std::unique_ptr<RankBoard>> boards_;
  std::vector<std::unique_ptr<SideChannel>> channels_;
};

TEST_F(SideChannelTest, ARankThatWaitsLearnsOfAllOthersWhatTheyDo) {
  Connect(false);
  boards_[5]->BeginAlone("writing a checkpoint");
  EXPECT_TRUE(
      Await([&] { return Knows(0, 5, [](const RankState& state) { return state.what == "writing a checkpoint"; }); }));
  boards_[1]->BeginWait("barrier #0 'a'");
  for (const int other : {0, 2, 3, 4}) {
    EXPECT_TRUE(Await([&] { return Knows(1, other, [](const RankState&) { return true; }); })) << other;
  }
  EXPECT_TRUE(Await([&] { return boards_[1]->AnotherIsBusyAlone().has_value(); }));
}

TEST_F(SideChannelTest, ARankThatIsGoneIsMissed) {
  Connect();
  boards_[1]->BeginWait("barrier #0 'a'");
  EXPECT_TRUE(Await([&] { return Knows(1, 4, [](const RankState&) { return true; }); }));
  channels_[4].reset();
  EXPECT_TRUE(Await([&] { return boards_[1]->WhoIsBehind(0).starts_with("rank 4 "); })) << boards_[1]->WhoIsBehind(0);
}

TEST_F(SideChannelTest, StrangersAreNotHeard) {
  Connect();
  const RankState lie = {.rank = 3, .host = "h", .pid = 1, .doing = Doing::kAlone, .what = "a lie", .phase = ""};
  const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
  ASSERT_GE(socket, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(channels_[0]->address().port);
  for (const std::string& datagram :
       {Seal(std::string(32, 'x'), Encode({lie}, true)), Encode({lie}, true), std::string("\0", 1), std::string()}) {
    sendto(socket, datagram.data(), datagram.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
  }
  close(socket);
  boards_[3]->BeginAlone("the truth");  // said after it, to the same socket
  EXPECT_TRUE(Await([&] {
    EXPECT_FALSE(Knows(0, 3, [](const RankState& state) { return state.what == "a lie"; }));
    return Knows(0, 3, [](const RankState& state) { return state.what == "the truth"; });
  }));
}

TEST(Seal, OnlyTheSecretOpensIt) {
  const std::string sealed = Seal("secret", "payload");
  EXPECT_EQ(Unseal("secret", sealed), "payload");
  EXPECT_EQ(Unseal("another", sealed), "");
  std::string changed = sealed;
  changed.back() ^= 1;
  EXPECT_EQ(Unseal("secret", changed), "");
}

}  // namespace
}  // namespace srlm::parallel
