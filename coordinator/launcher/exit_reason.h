// How a process ended, for people.
#pragma once

#include <string>

namespace srlm::launcher {

/// The end of a process: an exit code, or the signal that ended it.
struct ExitState {
  int code = 0;    // 0..255; 128 + signal when a signal ended it, as a shell counts; -1: not known
  int signal = 0;  // 0: it exited by itself

  bool ok() const { return code == 0; }
};

/// From waitpid's status.
ExitState FromWaitStatus(int wait_status);

/// In words, e.g. "exit code 139: a rank crashed (segmentation fault)". mpirun passes on a rank's signal as
/// 128 + signal, so these codes are explained whether a signal or an exit brought them.
std::string ExplainExit(const ExitState& exit);

}  // namespace srlm::launcher
