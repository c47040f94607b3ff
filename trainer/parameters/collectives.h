// Collectives under way while a rank computes, and what they cost.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/parallel/communicator.h"
#include "trainer/parameters/trace.h"

namespace srlm::trainer {

/// What ranks said to one another so far.
struct Traffic {
  int64_t collectives = 0;
  int64_t bytes = 0;    // that this rank gave to others: (ranks - 1) / ranks of each collective's whole
  double waited_s = 0;  // in which this rank computed nothing
};

/// Starts collectives one after the other, the same on every rank, and waits for them in that order. The first failure
/// stays: whatever is called later returns it.
class Collectives {
 public:
  /// Borrows both; `trace` may be null.
  Collectives(parallel::Communicator& communicator, Trace* trace) : communicator_(communicator), trace_(trace) {}

  /// Communicator::StartReduceScatterSum; `then` (may be null) is called when it is done, in a later call of this
  /// object. Returns the operation's number.
  Result<int64_t> ReduceScatterSum(parallel::Buffer send, parallel::Buffer receive, const std::string& name,
                                   std::function<void()> then = nullptr);
  Result<int64_t> AllGather(parallel::Buffer send, parallel::Buffer receive, const std::string& name);

  /// Lets those under way go on, without waiting.
  Status Poll();
  /// Until operation `number`, and so all before it, is done.
  Status WaitFor(int64_t number);
  Status WaitForAll() { return WaitFor(started_ - 1); }

  /// This rank waited from `begin` until now, for something that was not started here.
  void Waited(const std::string& what, Clock::time_point begin);

  const Traffic& traffic() const { return traffic_; }

 private:
  struct UnderWay {
    std::unique_ptr<parallel::Pending> pending;
    std::function<void()> then;
    std::string name;
    int64_t bytes = 0;
    Clock::time_point begin;
  };
  Result<int64_t> Started(Result<std::unique_ptr<parallel::Pending>> pending, const std::string& name,
                          const parallel::Buffer& whole, std::function<void()> then);
  Status EndFirst();

  parallel::Communicator& communicator_;
  Trace* trace_;
  std::deque<UnderWay> under_way_;
  int64_t started_ = 0, ended_ = 0;
  Traffic traffic_;
  Status status_;
};

}  // namespace srlm::trainer
