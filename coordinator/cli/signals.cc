#include "coordinator/cli/signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace srlm::cli {

StopSignals::StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  descriptor_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

StopSignals::~StopSignals() {
  if (descriptor_ >= 0) close(descriptor_);
}

int StopSignals::Wait(int other, const Deadline& deadline) {
  pollfd events[] = {{descriptor_, POLLIN, 0}, {other, POLLIN, 0}};
  const auto left_ms = std::chrono::ceil<std::chrono::milliseconds>(deadline.Left()).count();
  poll(events, 2, static_cast<int>(left_ms));
  signalfd_siginfo info{};
  return read(descriptor_, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

}  // namespace srlm::cli
