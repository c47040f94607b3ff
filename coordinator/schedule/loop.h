// The coordinator's one thread: it owns the ledger and all state, runs what other threads hand it, and commits what
// was written in groups.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "coordinator/ledger/ledger.h"

namespace srlm::schedule {

struct LoopOptions {
  std::chrono::milliseconds commit_after = std::chrono::milliseconds(10);  // longest wait of a write for its commit
  int64_t commit_writes = 256;                                             // most writes of one commit
  std::chrono::milliseconds tick = std::chrono::milliseconds(100);         // longest time between two ticks
};

class Loop {
 public:
  Loop(ledger::Ledger& ledger, LoopOptions options) : ledger_(ledger), options_(options) {}

  /// Runs until Stop, `tick` says that it is over, or a failure. `tick` is called after every group of tasks and at
  /// least once in options.tick; it returns true to go on. Each task and each tick is a unit: when it fails, what it
  /// wrote is taken back. Everything else is committed before this returns. From one thread, once.
  Status Run(const std::function<Result<bool>()>& tick);

  /// Ends Run soon. From any thread, also from a signal's watcher.
  void Stop();
  bool stopped() const { return stopped_; }

  /// For a task, a tick or a commit that waits for something outside: answers whoever calls meanwhile with `refusal`,
  /// for `span` or until Stop. Comes back earlier when it has run an urgent call. On the loop's thread, while Run runs.
  void Refuse(const Status& refusal, std::chrono::milliseconds span);
  /// Whether Run runs. On the loop's thread.
  bool running() const { return running_; }

  /// Runs `f`, which returns a Result, on the loop's thread and waits for its answer. Unavailable once the loop has
  /// ended; it always answers.
  template <class F>
  auto Call(F f) -> decltype(f()) {
    return Wait<decltype(f())>(std::move(f), Answer::kAtOnce);
  }
  /// The same, answered after what `f` wrote is on disk; with the commit's failure when there was one.
  template <class F>
  auto CallDurably(F f) -> decltype(f()) {
    return Wait<decltype(f())>(std::move(f), Answer::kWhenOnDisk);
  }
  /// The same for `f` that only reads: answered when all that it can have seen is on disk, so that a reader never sees
  /// what a kill takes away.
  template <class F>
  auto CallForReading(F f) -> decltype(f()) {
    return Wait<decltype(f())>(std::move(f), Answer::kWhenReadIsOnDisk);
  }
  /// The same, but run and answered at once while the loop refuses: `f` may then not use the ledger.
  template <class F>
  auto CallUrgently(F f) -> decltype(f()) {
    return Wait<decltype(f())>(std::move(f), Answer::kUrgently);
  }

  /// For a turn that has more to do: the next one comes at once, after the calls that wait. On the loop's thread.
  void TurnAgain() { turn_again_ = true; }

  /// Waits until the loop has ended, at most `span`; whether it has. From any thread but the loop's.
  bool WaitEnded(std::chrono::milliseconds span);

 private:
  enum class Answer { kAtOnce, kWhenOnDisk, kWhenReadIsOnDisk, kUrgently };
  using AfterCommit = std::function<void(const Status&)>;
  // Run on the loop's thread with ok, or where the loop ended with the reason; what it returns is called after the
  // next commit.
  struct Task {
    std::function<AfterCommit(const Status&)> run;
    std::function<void()> run_at_once;  // instead, while the loop refuses; empty: it is refused
  };

  // `f`, whose writes are kept only when it succeeds.
  template <class F>
  auto AsUnit(const F& f) -> decltype(f()) {
    ledger_.BeginUnit();
    auto result = f();
    if (const Status ended = ledger_.EndUnit(result.ok()); !ended.ok()) return ended;
    return result;
  }

  bool Post(Task task);
  Status RunTasks();
  Status CommitIfDue(bool now);
  void Finish(const Status& reason);

  template <class T, class F>
  T Wait(F f, Answer when) {
    std::promise<T> promise;
    std::future<T> answer = promise.get_future();
    Task task;
    if (when == Answer::kUrgently) task.run_at_once = [&] { promise.set_value(f()); };
    task.run = [&](const Status& status) -> AfterCommit {
      if (!status.ok()) {
        promise.set_value(status);
        return {};
      }
      T result = AsUnit(f);
      const bool on_disk = when == Answer::kWhenReadIsOnDisk && ledger_.uncommitted() == 0;
      if (when == Answer::kAtOnce || on_disk || !result.ok()) {
        promise.set_value(std::move(result));
        return {};
      }
      return [&promise, kept = std::make_shared<T>(std::move(result))](const Status& committed) {
        promise.set_value(committed.ok() ? std::move(*kept) : T(committed));
      };
    };
    if (!Post(std::move(task))) return Unavailable("the coordinator is ending");
    return answer.get();
  }

  ledger::Ledger& ledger_;
  LoopOptions options_;

  std::mutex mutex_;  // guards tasks_, ended_
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  bool ended_ = false;
  std::atomic<bool> stopped_ = false;

  // Of the loop's thread.
  bool running_ = false;
  bool turn_again_ = false;
  std::deque<Task> taken_;  // from tasks_, not yet run
  std::vector<AfterCommit> after_commit_;
  std::optional<Clock::time_point> first_write_;  // since the last commit
};

}  // namespace srlm::schedule
