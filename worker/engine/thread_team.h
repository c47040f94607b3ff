// A fixed team of threads that run the same function side by side, with a cheap barrier between its stages.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace srlm::worker {

/// `size` threads, the caller's among them. Run() is called from one thread only.
class ThreadTeam {
 public:
  /// A smaller team, with a warning, when the system refuses threads: results are the same whatever the size.
  explicit ThreadTeam(int size);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const { return size_; }

  /// Runs work(thread) on every thread, thread = 0 .. size - 1, and returns when all have ended.
  void Run(const std::function<void(int)>& work);

  /// Inside Run: waits until every thread has come here. Threads spin for a moment, then yield their core.
  void Barrier();

  /// Part of [0, count) for a thread: contiguous, sizes differ by at most one.
  std::pair<int64_t, int64_t> Part(int64_t count, int thread) const {
    return {count * thread / size_, count * (thread + 1) / size_};
  }

 private:
  void Loop(int thread);

  int size_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  const std::function<void(int)>* work_ = nullptr;  // guarded by mutex_
  uint64_t generation_ = 0;                         // guarded by mutex_
  bool stopping_ = false;                           // guarded by mutex_
  std::atomic<int> arrived_{0};
  std::atomic<uint64_t> phase_{0};
};

}  // namespace srlm::worker
