// SIGTERM as a request to end soon, in order: a scheduler's notice, or a person's.
#pragma once

namespace srlm::trainer {

/// Make one first in main, before any thread: from then on SIGTERM does not end the process but waits to be asked for.
class TerminationNotice {
 public:
  TerminationNotice();
  /// Whether SIGTERM has come to this process. From one thread.
  bool Came();

 private:
  bool came_ = false;
};

}  // namespace srlm::trainer
