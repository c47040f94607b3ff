#include "common/base/command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

namespace srlm {
namespace {

constexpr size_t kMostBytes = 64 << 10;

Status Spawn(const std::vector<std::string>& command, int output, pid_t* pid) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int error = posix_spawnp(pid, words[0], &files, &attributes, words.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error == 0) return OkStatus();
  return NotFound(fmt::format("cannot run {}: {}", command[0], std::strerror(error)));
}

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
  const Status spawned = Spawn(command, ends[1], &pid);
  close(ends[1]);
  CommandAnswer answer;
  bool ended = false;
  if (spawned.ok()) {
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
  SRLM_RETURN_IF_ERROR(spawned);
  if (!ended) return DeadlineExceeded(command[0] + " did not end in time");
  return answer;
}

}  // namespace srlm
