// What a rank did when, for people who look at it in a trace viewer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"

namespace srlm::trainer {

/// Events of one rank's steps, written as the Trace Event Format's JSON, which Perfetto and chrome://tracing show:
/// three rows a rank, for what it computes, what it waits for, and what is under way between ranks, with its bytes.
class Trace {
 public:
  explicit Trace(int rank) : rank_(rank) {}

  /// Each from `begin` until now.
  void Computed(const std::string& what, Clock::time_point begin) { Add(what, kComputing, begin, -1); }
  void Waited(const std::string& what, Clock::time_point begin) { Add(what, kWaiting, begin, -1); }
  void Communicated(const std::string& what, Clock::time_point begin, int64_t bytes) {
    Add(what, kCommunicating, begin, bytes);
  }

  Status Write(const std::string& path) const;

 private:
  enum Row { kComputing, kWaiting, kCommunicating };
  struct Event {
    std::string name;
    Row row = kComputing;
    Clock::time_point begin, end;
    int64_t bytes = -1;  // none
  };
  void Add(const std::string& name, Row row, Clock::time_point begin, int64_t bytes) {
    events_.push_back({name, row, begin, Clock::now(), bytes});
  }

  int rank_;
  std::vector<Event> events_;
};

}  // namespace srlm::trainer
