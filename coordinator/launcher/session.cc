#include "coordinator/launcher/session.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "common/base/clock.h"

namespace srlm::launcher {
namespace {

/// Waits until `pid` ends, or the deadline.
void AwaitEnd(pid_t pid, const Deadline& deadline) {
  const int fd = OpenProcess(pid);
  if (fd < 0) return;
  const auto left_ms = std::chrono::duration_cast<std::chrono::milliseconds>(deadline.Left()).count();
  pollfd event{fd, POLLIN, 0};
  poll(&event, 1, static_cast<int>(left_ms));
  close(fd);
}

}  // namespace

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

// The system call itself: glibc 2.36 declares pidfd_open without C linkage.
int OpenProcess(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

std::vector<ProcessEntry> SessionMembers(pid_t session) {
  std::vector<ProcessEntry> members;
  std::error_code error;
  for (const auto& folder : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = folder.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto entry = ReadProcess(static_cast<pid_t>(std::strtol(name.c_str(), nullptr, 10)));
    if (entry && entry->session == session && entry->state != 'Z' && entry->state != 'X') members.push_back(*entry);
  }
  return members;
}

void SignalSession(pid_t session, int signal) {
  for (const ProcessEntry& member : SessionMembers(session)) kill(member.pid, signal);
}

int64_t StartedMs(const ProcessEntry& process) {
  timespec since_boot{};
  clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const int64_t boot_ms = WallClockMs() - (since_boot.tv_sec * 1000 + since_boot.tv_nsec / 1000000);
  return boot_ms + static_cast<int64_t>(process.start_ticks) * 1000 / sysconf(_SC_CLK_TCK);
}

bool EndLeftover(int64_t process_group, int64_t started_ms, double grace_s) {
  constexpr int64_t kToleranceMs = 10000;  // the system's clock may have been set since
  if (process_group <= 1) return false;
  const auto session = static_cast<pid_t>(process_group);
  const auto leader = ReadProcess(session);
  if (leader && std::abs(StartedMs(*leader) - started_ms) > kToleranceMs) return false;
  const std::vector<ProcessEntry> members = SessionMembers(session);
  if (members.empty()) return false;
  const Deadline deadline = Deadline::AfterSeconds(grace_s);
  if (leader && leader->state != 'Z') {
    kill(session, SIGTERM);  // mpirun ends its ranks in order, so it alone is asked
    AwaitEnd(session, deadline);
  } else {
    SignalSession(session, SIGTERM);
    for (const ProcessEntry& member : members) AwaitEnd(member.pid, deadline);
  }
  for (const ProcessEntry& member : SessionMembers(session)) {
    kill(member.pid, SIGKILL);
    AwaitEnd(member.pid, Deadline::AfterSeconds(5));
  }
  return true;
}

}  // namespace srlm::launcher
