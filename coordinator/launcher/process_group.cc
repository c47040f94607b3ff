#include "coordinator/launcher/process_group.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/base/file.h"
#include "common/base/spawn.h"
#include "coordinator/launcher/session.h"

namespace srlm::launcher {
namespace {}  // namespace

Result<ProcessGroup> ProcessGroup::Start(const ProcessSpec& spec) {
  if (spec.command.empty() || spec.command[0].empty()) return InvalidArgument("the command to start is empty");
  const auto open_to_add = [](const std::string& path) {
    return open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  };
  const int output = open_to_add(spec.output);
  if (output < 0) return FileError("write", spec.output, errno);
  const int errors = spec.errors.empty() ? fcntl(output, F_DUPFD_CLOEXEC, 0) : open_to_add(spec.errors);
  if (errors < 0) {
    const Status failure = FileError("write", spec.errors, errno);
    close(output);
    return failure;
  }
  pid_t pid = 0;
  const std::vector<std::string> entries = ToEntries(spec.environment);
  const int error = SpawnProgram(
      spec.command, CStrings(entries).data(),
      {.output = output, .errors = errors, .input = spec.input, .folder = spec.folder, .session = true}, &pid);
  close(output);
  close(errors);
  if (error != 0) {
    const std::string message = fmt::format("cannot start {}: {}", spec.command[0], std::strerror(error));
    if (error == ENOENT) return NotFound(message + "; install it, or name its full path in launcher.command");
    return InvalidArgument(message);
  }
  return ProcessGroup(pid, OpenProcess(pid));
}

std::optional<ProcessGroup> ProcessGroup::Adopt(const std::string& launch) {
  const std::vector<ProcessEntry> members = LaunchMembers(launch);
  const auto leader = std::ranges::find_if(members, [](const auto& member) { return member.pid == member.session; });
  if (leader != members.end()) {
    ProcessGroup group(leader->pid, OpenProcess(leader->pid));
    group.launch_ = launch;
    if (group.pidfd_ >= 0) return group;
    group.pid_ = 0;  // it ended just now
  }
  for (const ProcessEntry& member : members) kill(member.pid, SIGKILL);
  return std::nullopt;
}

ProcessGroup::ProcessGroup(ProcessGroup&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      pidfd_(std::exchange(other.pidfd_, -1)),
      exit_(other.exit_),
      launch_(std::move(other.launch_)) {}

ProcessGroup& ProcessGroup::operator=(ProcessGroup&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(exit_, other.exit_);
  std::swap(launch_, other.launch_);
  return *this;
}

ProcessGroup::~ProcessGroup() {
  Kill();
  Wait(Deadline::AfterSeconds(1));
  if (pidfd_ >= 0) close(pidfd_);
}

std::optional<ExitState> ProcessGroup::Wait(const Deadline& deadline) {
  if (exit_ || pid_ == 0) return exit_;
  if (pidfd_ >= 0) {
    const auto left_ms = std::chrono::ceil<std::chrono::milliseconds>(deadline.Left()).count();
    pollfd event{pidfd_, POLLIN, 0};
    if (poll(&event, 1, static_cast<int>(std::min<int64_t>(left_ms, INT32_MAX))) <= 0) return std::nullopt;
  }
  return ReapLeader();
}

// The leader has ended, or has not when there is no pidfd to tell.
std::optional<ExitState> ProcessGroup::ReapLeader() {
  if (!launch_.empty()) {
    KillMembers();
    return exit_ = ExitState{.code = -1};
  }
  // Ranks that outlived their mpirun go before it is reaped: until then its number stays the session's.
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) {
    return std::nullopt;
  }
  KillMembers();
  int wait_status = 0;
  if (waitpid(pid_, &wait_status, 0) == pid_) exit_ = FromWaitStatus(wait_status);
  return exit_;
}

void ProcessGroup::KillMembers() const {
  const auto members = launch_.empty() ? SessionMembers(pid_) : LaunchMembers(launch_);
  for (const ProcessEntry& member : members) kill(member.pid, SIGKILL);
}

void ProcessGroup::Release() {
  pid_ = 0;
  if (pidfd_ >= 0) close(std::exchange(pidfd_, -1));
}

void ProcessGroup::Terminate() {
  if (pid_ != 0 && !exit_) kill(-pid_, SIGTERM);
}

void ProcessGroup::Kill() {
  if (pid_ != 0 && !Poll()) KillMembers();
}

}  // namespace srlm::launcher
