#include <algorithm>
#include <cctype>
#include <string>

#include "coordinator/launcher/launcher.h"

namespace srlm::launcher {
namespace {

std::string Quoted(const std::string& word) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || std::string("-_./:=,@%+").find(c) < 10; };
  if (!word.empty() && std::ranges::all_of(word, plain)) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::string ShellCommand(const LaunchSpec& spec) {
  std::string line;
  for (const auto& [name, value] : spec.env) line += name + "=" + Quoted(value) + " ";
  line += "mpirun ";
  std::string hosts;
  for (const std::string& host : spec.hosts) hosts += (hosts.empty() ? "" : ",") + host;
  if (!hosts.empty()) line += "--host " + Quoted(hosts) + " ";
  line += "-n " + std::to_string(spec.ranks) + " " + Quoted(spec.program);
  for (const std::string& word : spec.args) line += " " + Quoted(word);
  return line;
}

}  // namespace srlm::launcher
