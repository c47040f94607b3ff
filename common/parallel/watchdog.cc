#include "common/parallel/watchdog.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "common/parallel/wait_clock.h"

namespace srlm::parallel {
namespace {

constexpr std::chrono::milliseconds kBetweenLooks(50);

/// This rank as its launcher names it; MPI itself cannot be asked while it hangs.
std::string RankName() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    if (const char* const rank = std::getenv(name)) return fmt::format("rank {}", rank);
  }
  return fmt::format("process {}", getpid());
}

}  // namespace

Watchdog::Watchdog(std::string call, double seconds, const RankBoard* board)
    : thread_([this, call = std::move(call), seconds, board] {
        WaitClock clock(board, seconds);
        std::unique_lock lock(mutex_);
        while (!clock.Expired()) {
          if (changed_.wait_for(lock, kBetweenLooks, [this] { return returned_; })) return;
        }
        const std::string text =
            fmt::format("{}: {} did not return within {} s: {}\n", RankName(), call, seconds,
                        board != nullptr ? board->WhoIsBehind() : "another rank is gone, stopped or elsewhere");
        (void)!write(STDERR_FILENO, text.data(), text.size());
        _exit(1);
      }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    returned_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

}  // namespace srlm::parallel
