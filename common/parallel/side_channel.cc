#include "common/parallel/side_channel.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/base/hash.h"
#include "common/base/log.h"

namespace srlm::parallel {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBetweenReports(250);
constexpr milliseconds kAfterChange(100);  // a step of a small model makes many changes
constexpr double kAskAfterSeconds = 0.5;   // of a wait: before that nobody wants to know about all
constexpr double kComplainAfterSeconds = 10;
constexpr size_t kStatesInDatagram = 3;  // fits one packet
constexpr size_t kLargestDatagram = 4096;
constexpr size_t kProofBytes = 64;

sockaddr_in At(uint32_t host, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = host;
  address.sin_port = htons(port);
  return address;
}

Status NoSocket(const char* what) {
  return Unavailable(fmt::format("the ranks' side channel: {}: {}", what, strerror(errno)));
}

/// This host's IPv4 addresses that other hosts may reach, and loopback, for ranks beside this one.
std::vector<uint32_t> OwnAddresses(bool one_host) {
  std::vector<uint32_t> found = {htonl(INADDR_LOOPBACK)};
  ifaddrs* all = nullptr;
  if (one_host || getifaddrs(&all) != 0) return found;
  for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_INET) continue;
    const uint32_t host = reinterpret_cast<const sockaddr_in*>(each->ifa_addr)->sin_addr.s_addr;
    if (ntohl(host) >> 24 != 127) found.push_back(host);
  }
  freeifaddrs(all);
  return found;
}

}  // namespace

// Hashed twice: a hash of secret and text alone could be made longer by whoever sees it.
std::string Seal(std::string_view secret, std::string_view payload) {
  const std::string inner = Sha256(std::string(secret).append(payload));
  return Sha256(std::string(secret).append(inner)).append(payload);
}

std::string_view Unseal(std::string_view secret, std::string_view datagram) {
  if (datagram.size() <= kProofBytes) return {};
  const std::string_view payload = datagram.substr(kProofBytes);
  return Seal(secret, payload) == datagram ? payload : std::string_view();
}

SideChannel::SideChannel(RankBoard& board, int socket, int wake) : board_(board), socket_(socket), wake_(wake) {}

Result<std::unique_ptr<SideChannel>> SideChannel::Open(RankBoard& board, bool one_host) {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) return NoSocket("socket");
  const int wake = eventfd(0, EFD_CLOEXEC);
  std::unique_ptr<SideChannel> channel(new SideChannel(board, socket, wake));
  if (wake < 0) return NoSocket("eventfd");
  sockaddr_in bound = At(htonl(one_host ? INADDR_LOOPBACK : INADDR_ANY), 0);
  socklen_t size = sizeof bound;
  if (bind(socket, reinterpret_cast<sockaddr*>(&bound), size) != 0 ||
      getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    return NoSocket("no port");
  }
  SideChannelAddress& address = channel->address_;
  const std::vector<uint32_t> hosts = OwnAddresses(one_host);
  std::copy_n(hosts.begin(), std::min(hosts.size(), address.hosts.size()), address.hosts.begin());
  address.port = ntohs(bound.sin_port);
  if (getrandom(address.secret.data(), address.secret.size(), 0) != static_cast<ssize_t>(address.secret.size())) {
    return NoSocket("no random bytes");
  }
  channel->thread_ = std::thread([raw = channel.get()] { raw->Run(); });
  return channel;
}

Result<std::unique_ptr<SideChannel>> SideChannel::Join(RankBoard& board, const SideChannelAddress& rank_0) {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) return NoSocket("socket");
  const int wake = eventfd(0, EFD_CLOEXEC);
  std::unique_ptr<SideChannel> channel(new SideChannel(board, socket, wake));
  if (wake < 0) return NoSocket("eventfd");
  channel->address_ = rank_0;
  channel->thread_ = std::thread([raw = channel.get()] { raw->Run(); });
  return channel;
}

SideChannel::~SideChannel() {
  if (thread_.joinable()) {
    eventfd_write(wake_, 1);
    thread_.join();
  }
  close(socket_);
  if (wake_ >= 0) close(wake_);
}

void SideChannel::Run() {
  pollfd events[] = {{wake_, POLLIN, 0}, {socket_, POLLIN, 0}};
  Clock::time_point last_turn = Clock::now();
  while (true) {
    const Clock::time_point now = Clock::now();
    const double turn_s = SecondsBetween(std::exchange(last_turn, now), now);
    if (turn_s > kSilentSeconds) board_.NoteStandstill(turn_s);
    if (board_.rank() != 0) Tell();
    if (poll(events, 2, static_cast<int>(kAfterChange.count())) < 0 && errno != EINTR) return;
    if ((events[0].revents & POLLIN) != 0) return;
    Receive();
  }
}

// To the address that answered, or to all of them while none does.
void SideChannel::Tell() {
  const Clock::time_point now = Clock::now();
  const uint64_t changes = board_.changes();
  if (now - told_ < kAfterChange || (changes == told_changes_ && now - told_ < kBetweenReports)) return;
  told_ = now;
  told_changes_ = changes;
  const RankState own = board_.Own();
  const bool asks = own.doing == Doing::kWaiting && own.for_s > kAskAfterSeconds;
  if (SecondsBetween(heard_, now) < kSilentSeconds) return Send(rank_0_, {own}, asks);
  for (const uint32_t host : address_.hosts) {
    if (host != 0) Send(At(host, address_.port), {own}, asks);
  }
  if (heard_ == Clock::time_point{} && SecondsBetween(begin_, now) > kComplainAfterSeconds) ComplainOnce();
}

void SideChannel::Receive() {
  const std::string_view secret(address_.secret.data(), address_.secret.size());
  std::array<char, kLargestDatagram> bytes;
  for (int i = 0; i < 256; ++i) {  // then this rank's own state is due
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t length = recvfrom(socket_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (length < 0) return;
    const auto said = Decode(Unseal(secret, {bytes.data(), static_cast<size_t>(length)}), board_.size());
    if (!said.ok()) continue;  // somebody else's
    for (const RankState& state : said->states) board_.Hear(state);
    if (board_.rank() == 0) {
      Answer(from, said->asks_for_all);
    } else {
      rank_0_ = from;
      heard_ = Clock::now();
    }
  }
}

void SideChannel::Answer(const sockaddr_in& to, bool all) {
  std::vector<RankState> states = {board_.Own()};
  if (all) {
    const std::vector<RankState> heard = board_.Heard();
    states.insert(states.end(), heard.begin(), heard.end());
  }
  for (size_t begin = 0; begin < states.size(); begin += kStatesInDatagram) {
    const size_t end = std::min(begin + kStatesInDatagram, states.size());
    Send(to, {states.begin() + static_cast<std::ptrdiff_t>(begin), states.begin() + static_cast<std::ptrdiff_t>(end)},
         false);
  }
}

void SideChannel::Send(const sockaddr_in& to, const std::vector<RankState>& states, bool asks_for_all) {
  const std::string datagram = Seal({address_.secret.data(), address_.secret.size()}, Encode(states, asks_for_all));
  const ssize_t sent = sendto(socket_, datagram.data(), datagram.size(), MSG_NOSIGNAL,
                              reinterpret_cast<const sockaddr*>(&to), sizeof to);
  if (sent < 0) send_error_ = errno;  // an interface that does not lead to rank 0, or no room: the next one may pass
}

void SideChannel::ComplainOnce() {
  if (complained_) return;
  complained_ = true;
  LogWarning("side_channel",
             {{"reason", fmt::format("no answer from rank 0 on UDP port {} for {} s{}: if a rank hangs, the message "
                                     "will not name it",
                                     address_.port, kComplainAfterSeconds,
                                     send_error_ == 0 ? "" : fmt::format(" ({})", strerror(send_error_)))}});
}

}  // namespace srlm::parallel
