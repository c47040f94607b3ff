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

std::vector<std::string> HostsOfGroup(const std::vector<std::string>& hosts, int group, int ranks) {
  std::vector<std::string> slots;  // a name for each
  for (const std::string& text : hosts) {
    const auto host = ParseHost(text);
    const int count = host.ok() && host->slots > 0 ? host->slots : ranks;
    slots.insert(slots.end(), static_cast<size_t>(count), host.ok() ? host->name : text);
  }
  std::vector<Host> chosen;
  for (int rank = 0; !slots.empty() && rank < ranks; ++rank) {
    const std::string& name = slots[static_cast<size_t>(group * ranks + rank) % slots.size()];
    if (chosen.empty() || chosen.back().name != name) chosen.push_back({name, 0});
    ++chosen.back().slots;
  }
  std::vector<std::string> texts;
  for (const Host& host : chosen) texts.push_back(fmt::format("{}:{}", host.name, host.slots));
  return texts;
}

std::string HostFile(const std::vector<Host>& hosts) {
  std::string content;
  for (const Host& host : hosts)
    content += host.slots > 0 ? fmt::format("{} slots={}\n", host.name, host.slots) : host.name + "\n";
  return content;
}

}  // namespace srlm::launcher
