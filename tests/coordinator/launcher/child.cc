// What the launcher's tests start: child COMMAND [ARGUMENT].
//   exit N        ends with exit code N
//   signal N      ends by signal N
//   say TEXT      prints TEXT and ends
//   env           prints its environment
//   state         prints its session, blocked and ignored signals, open descriptors
//   wait          prints "ready" and waits for TERM
//   deaf          prints "ready", ignores TERM and waits
//   family        as wait, with a child of its own in another process group; prints both ids
#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

extern char** environ;

namespace {

void PrintState() {
  std::printf("leader=%d\n", getsid(0) == getpid() || getsid(0) == getppid());
  sigset_t blocked;
  sigprocmask(SIG_BLOCK, nullptr, &blocked);
  for (int signal = 1; signal < 32; ++signal) {
    struct sigaction action{};
    sigaction(signal, nullptr, &action);
    if (sigismember(&blocked, signal) == 1) std::printf("blocked=%d\n", signal);
    if (action.sa_handler == SIG_IGN) std::printf("ignored=%d\n", signal);
  }
  DIR* const folder = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(folder)) {
    const int descriptor = std::atoi(entry->d_name);
    if (descriptor > 2 && descriptor != dirfd(folder)) std::printf("open=%d\n", descriptor);
  }
  closedir(folder);
  char byte;
  std::printf("stdin_bytes=%zd\n", read(0, &byte, 1));
}

[[noreturn]] void WaitForever() {
  while (true) pause();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  const std::string argument = argc > 2 ? argv[2] : "";
  setvbuf(stdout, nullptr, _IONBF, 0);
  if (command == "exit") return std::atoi(argument.c_str());
  if (command == "signal") raise(std::atoi(argument.c_str()));
  if (command == "say") std::printf("%s\n", argument.c_str());
  if (command == "env") {
    for (char** entry = environ; *entry != nullptr; ++entry) std::printf("%s\n", *entry);
  }
  if (command == "state") PrintState();
  if (command == "deaf") signal(SIGTERM, SIG_IGN);
  if (command == "family") {
    const pid_t child = fork();
    if (child == 0) {
      setpgid(0, 0);  // as mpirun does with its ranks
      WaitForever();
    }
    std::printf("child %d\n", child);
  }
  if (command == "wait" || command == "deaf" || command == "family") {
    std::printf("ready\n");
    WaitForever();
  }
  return 0;
}
