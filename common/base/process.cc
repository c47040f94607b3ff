#include "common/base/process.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace srlm {

std::optional<ProcessEntry> ReadProcess(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  // pid (name) state ppid pgrp session ...; the name may hold anything, so read from the last ')'.
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  ProcessEntry entry{.pid = pid};
  std::string skipped;
  fields >> entry.state >> skipped >> skipped >> entry.session;
  constexpr int kFieldsBetweenSessionAndStart = 15;  // proc(5): session is field 6, starttime field 22
  for (int i = 0; i < kFieldsBetweenSessionAndStart; ++i) fields >> skipped;
  fields >> entry.start_ticks;
  if (!fields) return std::nullopt;
  return entry;
}

std::vector<ProcessEntry> LivingProcesses() {
  std::vector<ProcessEntry> living;
  std::error_code error;
  for (const auto& folder : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = folder.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto entry = ReadProcess(static_cast<pid_t>(std::strtol(name.c_str(), nullptr, 10)));
    if (entry && entry->alive()) living.push_back(*entry);
  }
  return living;
}

bool HasInEnvironment(pid_t pid, const std::string& entry) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/environ", std::ios::binary);
  std::string each;
  while (std::getline(file, each, '\0'))
    if (each == entry) return true;
  return false;
}

std::optional<std::string> ReadVariable(pid_t pid, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/environ", std::ios::binary);
  std::string each;
  while (std::getline(file, each, '\0'))
    if (each.starts_with(name + "=")) return each.substr(name.size() + 1);
  return std::nullopt;
}

std::string HostName() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace srlm
