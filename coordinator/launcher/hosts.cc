#include "coordinator/launcher/hosts.h"

#include <fmt/format.h>

#include <charconv>

namespace srlm::launcher {

Result<Host> ParseHost(const std::string& text) {
  const auto bad = [&] {
    return InvalidArgument(fmt::format("host \"{}\": wanted a name, or name:slots, for example node7:2", text));
  };
  const size_t colon = text.find(':');
  Host host{.name = text.substr(0, colon), .slots = 0};
  if (host.name.empty() || host.name.front() == '-' || host.name.find_first_of(" \t\n#=") != std::string::npos)
    return bad();
  if (colon == std::string::npos) return host;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, host.slots);
  if (error != std::errc() || stop != end || host.slots < 1) return bad();
  return host;
}

std::string HostFile(const std::vector<Host>& hosts) {
  std::string content;
  for (const Host& host : hosts)
    content += host.slots > 0 ? fmt::format("{} slots={}\n", host.name, host.slots) : host.name + "\n";
  return content;
}

}  // namespace srlm::launcher
