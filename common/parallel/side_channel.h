// How ranks tell one another where they are, beside MPI: when a collective hangs, MPI says nothing any more. Small UDP
// datagrams through rank 0: one that is lost is followed by the next, and nobody ever waits for one. Every datagram is
// authenticated with a secret of this job that MPI handed out.
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/parallel/rank_board.h"

namespace srlm::parallel {

/// Where rank 0 listens. Plain bytes, so that MPI can broadcast it.
struct SideChannelAddress {
  std::array<uint32_t, 16> hosts = {};  // IPv4, network order; 0: none
  uint16_t port = 0;                    // host order
  std::array<char, 32> secret = {};
};

/// One thread that keeps a board: it sends this rank's state every 250 ms (100 ms after a change), and notes what it
/// hears. That the channel does not work is said once in the log and harms nothing but the messages about hangs.
class SideChannel {
 public:
  /// Rank 0's end: a free port, on loopback when all ranks are on `one_host`. Unavailable without a socket.
  static Result<std::unique_ptr<SideChannel>> Open(RankBoard& board, bool one_host);
  /// Another rank's end.
  static Result<std::unique_ptr<SideChannel>> Join(RankBoard& board, const SideChannelAddress& rank_0);
  ~SideChannel();
  SideChannel(const SideChannel&) = delete;
  SideChannel& operator=(const SideChannel&) = delete;

  const SideChannelAddress& address() const { return address_; }

 private:
  SideChannel(RankBoard& board, int socket, int wake);
  void Run();
  void Tell();
  void Receive();
  void Answer(const sockaddr_in& to, bool all);
  void Send(const sockaddr_in& to, const std::vector<RankState>& states, bool asks_for_all);
  void ComplainOnce();

  RankBoard& board_;
  const int socket_;
  const int wake_;  // an eventfd: readable when the thread is to end
  SideChannelAddress address_;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point told_{};
  uint64_t told_changes_ = 0;
  Clock::time_point heard_{};  // of rank 0
  sockaddr_in rank_0_{};       // the address that answered last
  int send_error_ = 0;
  bool complained_ = false;
  std::thread thread_;  // last: it uses the others
};

/// `payload` with what proves that a holder of `secret` made it, and back; empty when nobody did.
std::string Seal(std::string_view secret, std::string_view payload);
std::string_view Unseal(std::string_view secret, std::string_view datagram);

}  // namespace srlm::parallel
