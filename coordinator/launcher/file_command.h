// srlm-worker on files: what a command of srlm waits for, and what ends with it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/base/status.h"

namespace srlm::launcher {

struct FileCommand {
  std::vector<std::string> words;  // path of srlm-worker, the command and its flags
  int ranks = 1;                   // that hold the model together, under mpirun on this host
  std::string log;                 // file that takes what it prints
  std::function<bool()> stopped;   // whether the person wants an end; asked ten times a second
  double timeout_s = 7 * 86400.0;  // longest wait
};

/// NotFound unless `program` is there.
Status CheckProgram(const std::string& program);

/// Runs the command to its end. Aborted when it was stopped, DeadlineExceeded after timeout_s, both after killing it;
/// FailedPrecondition with its last words when it failed. It ends with this process, however that ends: call it in a
/// thread that lives as long, such as the main one.
Status RunFileCommand(FileCommand command);

}  // namespace srlm::launcher
