#include "coordinator/cli/stopper.h"

#include <fmt/format.h>
#include <signal.h>
#include <string.h>

#include <utility>

namespace srlm::cli {

void Stopper::OnSignal(int signal) {
  if (job_ != nullptr && !told_ && (signal == SIGTERM || signal == SIGUSR1)) {
    printer_.Note(fmt::format("{}: taken for a notice that the job ends", strsignal(signal)));
    job_->Notice();
    return;
  }
  if (job_ != nullptr && (signal == SIGINT || signal == SIGHUP)) job_->Renounce();
  printer_.Note(fmt::format("{}: stopping; what is finished is kept{}", strsignal(signal),
                            std::exchange(told_, true) ? "" : ". Once more to stop without waiting"));
  coordinator_.Stop();
}

void Stopper::LookAtJob(Clock::time_point now) {
  if (job_ == nullptr) return;
  const launcher::JobTime before = std::exchange(time_, job_->Look(now));
  if (time_ == before) return;
  if (time_ == launcher::JobTime::kEnding && !std::exchange(told_, true)) {
    printer_.Note(job_->Words(now) +
                  ": what is begun is finished and a checkpoint saved, then it is put back into the queue");
    coordinator_.Drain();
  } else if (time_ == launcher::JobTime::kOver) {
    printer_.Note(job_->Words(now) + ": stopping now; what is not handed in is done again");
    told_ = true;
    coordinator_.StopSoon();
  }
}

}  // namespace srlm::cli
