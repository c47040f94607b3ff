#include "coordinator/schedule/loop.h"

#include <algorithm>
#include <memory>

namespace srlm::schedule {

bool Loop::Post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return false;
    tasks_.push_back(std::move(task));
  }
  wake_.notify_all();
  return true;
}

void Loop::Stop() {
  {
    const std::lock_guard lock(mutex_);  // so that a loop about to wait sees it
    stopped_ = true;
  }
  wake_.notify_all();
}

bool Loop::WaitEnded(std::chrono::milliseconds span) {
  std::unique_lock lock(mutex_);
  return wake_.wait_for(lock, span, [&] { return ended_; });
}

Status Loop::CommitIfDue(bool now) {
  if (ledger_.uncommitted() == 0 && after_commit_.empty()) return OkStatus();
  const Clock::time_point time = Clock::now();
  if (!first_write_) first_write_ = time;
  if (!now && ledger_.uncommitted() < options_.commit_writes && time < *first_write_ + options_.commit_after)
    return OkStatus();
  first_write_.reset();
  const Status committed = ledger_.Commit();
  for (const AfterCommit& after : std::exchange(after_commit_, {})) after(committed);
  return committed;
}

Status Loop::RunTasks(std::deque<Task> tasks) {
  Status status;
  for (Task& task : tasks) {
    AfterCommit after = task(status);
    if (after) after_commit_.push_back(std::move(after));
    if (status.ok()) status = CommitIfDue(false);
  }
  return status;
}

Status Loop::Run(const std::function<Result<bool>()>& tick) {
  Status status;
  bool go_on = true;
  while (status.ok() && go_on && !stopped_) {
    std::deque<Task> tasks;
    {
      std::unique_lock lock(mutex_);
      Clock::time_point until = Clock::now() + options_.tick;
      if (first_write_) until = std::min(until, *first_write_ + options_.commit_after);
      wake_.wait_until(lock, until, [&] { return !tasks_.empty() || stopped_; });
      tasks.swap(tasks_);
    }
    status = ledger_.CheckFence();  // this process may have been stopped while it waited
    if (!status.ok()) {
      for (Task& task : tasks) (void)task(Unavailable("the coordinator is ending"));
      break;
    }
    status = RunTasks(std::move(tasks));
    if (!status.ok()) break;
    const Result<bool> ticked = AsUnit(tick);
    status = ticked.status();
    go_on = ticked.ok() && *ticked;
    if (status.ok()) status = CommitIfDue(false);
  }
  // What was written before a failure is good, and may be waited for: it is kept.
  if (const Status committed = CommitIfDue(true); status.ok()) status = committed;
  Finish(Unavailable("the coordinator is ending"));
  return status;
}

void Loop::Finish(const Status& reason) {
  std::deque<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    tasks.swap(tasks_);
  }
  wake_.notify_all();
  for (Task& task : tasks) (void)task(reason);
}

}  // namespace srlm::schedule
