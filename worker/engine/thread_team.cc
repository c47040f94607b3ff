#include "worker/engine/thread_team.h"

#include <system_error>

#include "common/base/log.h"

namespace srlm::worker {
namespace {

constexpr int kSpins = 4000;  // about 20 us: longer than most stages differ

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

ThreadTeam::ThreadTeam(int size) : size_(size < 1 ? 1 : size) {
  try {
    for (int thread = 1; thread < size_; ++thread) threads_.emplace_back([this, thread] { Loop(thread); });
  } catch (const std::system_error& error) {  // no thread reads size_ before the first Run
    size_ = static_cast<int>(threads_.size()) + 1;
    LogWarning("fewer_threads", {{"wanted", size}, {"started", size_}, {"reason", error.what()}});
  }
}

ThreadTeam::~ThreadTeam() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadTeam::Run(const std::function<void(int)>& work) {
  {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    ++generation_;
  }
  wake_.notify_all();
  work(0);
  Barrier();  // the others come here when they are done
}

void ThreadTeam::Loop(int thread) {
  uint64_t seen = 0;
  while (true) {
    const std::function<void(int)>* work = nullptr;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || generation_ != seen; });
      if (stopping_) return;
      seen = generation_;
      work = work_;
    }
    (*work)(thread);
    Barrier();
  }
}

void ThreadTeam::Barrier() {
  if (size_ == 1) return;
  const uint64_t phase = phase_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
    arrived_.store(0, std::memory_order_relaxed);
    phase_.fetch_add(1, std::memory_order_release);
    return;
  }
  for (int spin = 0; phase_.load(std::memory_order_acquire) == phase; ++spin) {
    if (spin < kSpins) {
      Pause();
    } else {
      std::this_thread::yield();
    }
  }
}

}  // namespace srlm::worker
