// A short command whose answer is waited for beside other work: squeue, sinfo, scancel.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "coordinator/launcher/process_group.h"

namespace srlm::launcher {

/// One run of a command. One thread owns it. It is killed when it is dropped, and when its deadline has passed.
class BackgroundCommand {
 public:
  /// Starts `command`; its first word is looked up in PATH. NotFound when it is not there.
  static Result<BackgroundCommand> Start(const std::vector<std::string>& command, Deadline deadline);

  BackgroundCommand(BackgroundCommand&& other) noexcept;
  BackgroundCommand& operator=(BackgroundCommand&& other) noexcept;
  ~BackgroundCommand();

  /// What it printed, once it has ended with 0; nothing while it runs. Unavailable, with what it printed, for another
  /// end; DeadlineExceeded when it was killed.
  std::optional<Result<std::string>> Poll();

 private:
  BackgroundCommand(std::string name, ProcessGroup process, int output, Deadline deadline)
      : name_(std::move(name)), process_(std::move(process)), output_(output), deadline_(deadline) {}
  Result<std::string> Ended(const ExitState& exit) const;

  std::string name_;
  ProcessGroup process_;
  int output_ = -1;  // of memory, so that no file is left
  Deadline deadline_;
};

}  // namespace srlm::launcher
