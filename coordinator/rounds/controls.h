// What a person asked of the run: go on, pause, cancel.
#pragma once

#include <string>
#include <vector>

#include "coordinator/rounds/context.h"
#include "coordinator/services/handlers.h"

namespace srlm::rounds {

class Controls {
 public:
  enum class Wish { kGoOn, kPause, kCancel };

  explicit Controls(const Context& context) : context_(context) {}

  /// Takes a wish; Record then notes who had it. FailedPrecondition when the run is being cancelled.
  Status Take(services::Control control, const v1::ControlRequest& request, int round);
  /// Writes the events of what was taken since the last time.
  Status Record();

  Wish wish() const { return wish_; }
  /// Who wished it, when and why, for people: "paused by ann@host: disk is moved".
  std::string Words(const std::string& what) const { return what + by_; }

 private:
  const Context& context_;
  Wish wish_ = Wish::kGoOn;
  std::string by_;
  struct Taken {
    int round;
    std::string event, message;
  };
  std::vector<Taken> unrecorded_;
};

}  // namespace srlm::rounds
