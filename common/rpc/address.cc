#include "common/rpc/address.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace srlm::rpc {

std::string Address::Text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

bool Address::IsLoopback() const { return host.starts_with("127.") || host == "::1" || host == "localhost"; }

Result<Address> ParseAddress(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return InvalidArgument(fmt::format("address \"{}\": {}; write host:port, for example 127.0.0.1:7000", text, why));
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad("no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) return bad("no host");
  Address address{std::string(host), 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (error != std::errc() || end != digits.data() + digits.size() || address.port < 0 || address.port > 65535)
    return bad("the port is not a number from 0 to 65535");
  return address;
}

Status CheckFree(const Address& address) {
  if (address.port == 0) return OkStatus();
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found))
    return InvalidArgument(fmt::format("address {}: {}", address.Text(), gai_strerror(error)));
  int error = 0;
  const int socket_fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_fd < 0) {
    error = errno;
  } else {
    const int on = 1;  // a port whose last connections are still closing is free
    setsockopt(socket_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(socket_fd, found->ai_addr, found->ai_addrlen) != 0 || listen(socket_fd, 1) != 0) error = errno;
    close(socket_fd);
  }
  freeaddrinfo(found);
  if (error == 0) return OkStatus();
  if (error == EADDRINUSE)
    return FailedPrecondition(
        fmt::format("{} is in use by another program; choose another port, or port 0 for a free one", address.Text()));
  return InvalidArgument(fmt::format("cannot listen at {}: {}", address.Text(), std::strerror(error)));
}

}  // namespace srlm::rpc
