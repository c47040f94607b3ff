#include "coordinator/schedule/loop.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

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

Status Loop::RunTasks() {
  Status status;
  while (!taken_.empty()) {
    const Task task = std::move(taken_.front());
    taken_.pop_front();
    AfterCommit after = task.run(status);
    if (after) after_commit_.push_back(std::move(after));
    if (status.ok()) status = CommitIfDue(false);
  }
  return status;
}

Status Loop::Run(const std::function<Result<bool>()>& tick) {
  Status status;
  bool go_on = true;
  running_ = true;
  while (status.ok() && go_on && !stopped_) {
    {
      std::unique_lock lock(mutex_);
      Clock::time_point until = Clock::now() + options_.tick;
      if (std::exchange(turn_again_, false)) until = Clock::now();
      if (first_write_) until = std::min(until, *first_write_ + options_.commit_after);
      wake_.wait_until(lock, until, [&] { return !tasks_.empty() || stopped_; });
      taken_.swap(tasks_);
    }
    status = ledger_.CheckFence();  // this process may have been stopped while it waited
    if (!status.ok()) {
      for (const Task& task : std::exchange(taken_, {})) (void)task.run(Unavailable("the coordinator is ending"));
      break;
    }
    status = RunTasks();
    if (!status.ok()) break;
    const Result<bool> ticked = AsUnit(tick);
    status = ticked.status();
    go_on = ticked.ok() && *ticked;
    if (status.ok()) status = CommitIfDue(false);
  }
  // What was written before a failure is good, and may be waited for: it is kept.
  if (const Status committed = CommitIfDue(true); status.ok()) status = committed;
  running_ = false;
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
  for (const Task& task : tasks) (void)task.run(reason);
}

void Loop::Refuse(const Status& refusal, std::chrono::milliseconds span) {
  const Deadline deadline = Deadline::After(span);
  bool urgent = false;
  while (!urgent && !stopped_ && !deadline.Expired()) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_until(lock, deadline.at(), [&] { return !tasks_.empty() || !taken_.empty() || stopped_; });
      std::ranges::move(tasks_, std::back_inserter(taken_));
      tasks_.clear();
    }
    for (const Task& task : std::exchange(taken_, {})) {
      urgent |= task.run_at_once != nullptr;
      if (task.run_at_once)
        task.run_at_once();
      else
        (void)task.run(refusal);
    }
  }
}

}  // namespace srlm::schedule
