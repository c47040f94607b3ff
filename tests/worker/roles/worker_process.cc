#include "tests/worker/roles/worker_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "common/base/file.h"

extern char** environ;

namespace srlm::worker {

WorkerProcess::WorkerProcess(const std::string& run_dir, const std::vector<std::string>& arguments,
                             const std::vector<std::string>& environment)
    : stderr_path_(run_dir + "/stderr") {
  std::vector<std::string> command = {std::string(std::getenv("SRLM_BIN")) + "/srlm-worker", "--run", run_dir,
                                      "--threads", "1"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& argument : command) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::vector<char*> entries;
  for (const std::string& entry : environment) entries.push_back(const_cast<char*>(entry.c_str()));
  for (char** entry = environ; *entry != nullptr; ++entry) entries.push_back(*entry);
  entries.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, stderr_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), entries.data()) != 0) pid_ = -1;
  posix_spawn_file_actions_destroy(&actions);
}

WorkerProcess::~WorkerProcess() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void WorkerProcess::Signal(int signal) {
  if (pid_ > 0) kill(pid_, signal);
}

int WorkerProcess::Wait(double seconds) {
  if (pid_ < 0) return -1;
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  pollfd end{handle, POLLIN, 0};
  const bool ended = poll(&end, 1, static_cast<int>(seconds * 1000)) == 1;
  close(handle);
  if (!ended) return -1;
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

std::string WorkerProcess::Stderr() const { return ReadFile(stderr_path_).ok() ? *ReadFile(stderr_path_) : ""; }

}  // namespace srlm::worker
