#include "coordinator/launcher/session.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

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

// The system call itself: glibc 2.36 declares pidfd_open without C linkage.
int OpenProcess(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

std::vector<ProcessEntry> SessionMembers(pid_t session) {
  std::vector<ProcessEntry> members = LivingProcesses();
  std::erase_if(members, [&](const ProcessEntry& process) { return process.session != session; });
  return members;
}

void SignalSession(pid_t session, int signal) {
  for (const ProcessEntry& member : SessionMembers(session)) kill(member.pid, signal);
}

std::vector<ProcessEntry> LaunchMembers(const std::string& launch) {
  const std::string entry = std::string(kLaunchVariable) + "=" + launch;
  std::vector<ProcessEntry> members = LivingProcesses();
  std::erase_if(members, [&](const ProcessEntry& process) { return !HasInEnvironment(process.pid, entry); });
  return members;
}

bool EndLeftover(const std::string& launch, double grace_s) {
  const std::vector<ProcessEntry> members = LaunchMembers(launch);
  if (members.empty()) return false;
  const auto leads = [](const ProcessEntry& member) { return member.pid == member.session; };
  const bool led = std::ranges::any_of(members, leads);
  for (const ProcessEntry& member : members)
    if (!led || leads(member)) kill(member.pid, SIGTERM);  // mpirun ends its ranks in order, so it alone is asked
  const Deadline deadline = Deadline::AfterSeconds(grace_s);
  for (const ProcessEntry& member : members) AwaitEnd(member.pid, deadline);
  const Deadline last = Deadline::AfterSeconds(5);
  // Again until none is left: one may have been starting another.
  for (auto left = LaunchMembers(launch); !left.empty() && !last.Expired(); left = LaunchMembers(launch)) {
    for (const ProcessEntry& member : left) kill(member.pid, SIGKILL);
    for (const ProcessEntry& member : left) AwaitEnd(member.pid, last);
  }
  return true;
}

}  // namespace srlm::launcher
