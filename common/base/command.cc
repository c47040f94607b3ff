#include "common/base/command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "common/base/spawn.h"

namespace srlm {
namespace {

constexpr size_t kMostBytes = 64 << 10;

/// Reads until everybody has closed the other end; false at the deadline.
bool ReadToTheEnd(int input, const Deadline& deadline, std::string& output) {
  char buffer[4096];
  while (true) {
    pollfd event{input, POLLIN, 0};
    const auto left_ms = std::chrono::ceil<std::chrono::milliseconds>(deadline.Left()).count();
    if (poll(&event, 1, static_cast<int>(left_ms)) <= 0 && deadline.Expired()) return false;
    const ssize_t count = read(input, buffer, sizeof buffer);
    if (count == 0) return true;
    if (count > 0) output.append(buffer, std::min(static_cast<size_t>(count), kMostBytes - output.size()));
  }
}

}  // namespace

Result<CommandAnswer> RunCommand(const std::vector<std::string>& command, const Deadline& deadline) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ResourceExhausted(fmt::format("no pipe: {}", std::strerror(errno)));
  (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
  pid_t pid = 0;
  const int error = SpawnProgram(command, environ, {.output = ends[1]}, &pid);
  close(ends[1]);
  CommandAnswer answer;
  bool ended = false;
  if (error == 0) {
    ended = ReadToTheEnd(ends[0], deadline, answer.output);
    if (!ended) kill(pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
      if (deadline.Expired()) kill(pid, SIGKILL);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    answer.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  close(ends[0]);
  if (error != 0) return NotFound(fmt::format("cannot run {}: {}", command[0], std::strerror(error)));
  if (!ended) return DeadlineExceeded(command[0] + " did not end in time");
  return answer;
}

}  // namespace srlm
