#include "trainer/job/termination_notice.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

namespace srlm::trainer {
namespace {

sigset_t OnlyTerm() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

// Blocked, it stays pending; threads that are made later inherit that.
TerminationNotice::TerminationNotice() {
  const sigset_t set = OnlyTerm();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

bool TerminationNotice::Came() {
  const sigset_t set = OnlyTerm();
  const timespec at_once = {0, 0};
  came_ |= sigtimedwait(&set, nullptr, &at_once) == SIGTERM;
  return came_;
}

}  // namespace srlm::trainer
