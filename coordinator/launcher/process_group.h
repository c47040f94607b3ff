// One launched group: a command that runs as the leader of its own session, watched and ended as a whole.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "coordinator/launcher/environment.h"
#include "coordinator/launcher/exit_reason.h"

namespace srlm::launcher {

struct ProcessSpec {
  std::vector<std::string> command;  // the first is looked up in PATH when it has no slash
  Environment environment;           // the whole of it; nothing else is inherited
  std::string output;                // file that takes stdout and stderr, appended to; its folder exists
  std::string errors = {};           // another such file for stderr; empty: output
  std::string input = {};            // file that it reads; empty: nothing
  std::string folder = {};           // its current folder; empty: this process's
};

/// A running or ended group. One thread owns it. Nothing of the parent reaches the child: a new session (so no
/// Ctrl-C), no signal blocked or ignored, no open file but those of its spec.
///
/// A coordinator that is killed does not take its groups along: its successor ends what the ledger says was
/// launched (EndLeftover), and workers that hear from nobody leave by themselves.
class ProcessGroup {
 public:
  /// Starts the command. NotFound or InvalidArgument when it cannot be executed, with the command's name.
  static Result<ProcessGroup> Start(const ProcessSpec& spec);

  /// A group that another process started, by the kLaunchVariable of its processes (session.h). None when its leader
  /// has ended; members that outlived it are killed.
  static std::optional<ProcessGroup> Adopt(const std::string& launch);

  ProcessGroup(ProcessGroup&& other) noexcept;
  ProcessGroup& operator=(ProcessGroup&& other) noexcept;
  /// Kills what still runs, and waits for its end at most 1 s: a process that waits for a lost disk ends when it can.
  ~ProcessGroup();

  /// Process id of the leader, and of its session and process group.
  pid_t pid() const { return pid_; }

  /// How the leader ended, with code -1 when the group was adopted; none while it runs. When it has ended, members that
  /// outlived it are killed.
  std::optional<ExitState> Poll() { return Wait(Deadline::AfterSeconds(0)); }
  /// The same, after waiting until the deadline.
  std::optional<ExitState> Wait(const Deadline& deadline);

  /// Lets the group go: it runs on, and is this object's no more.
  void Release();
  /// Asks the group to end (TERM), without waiting.
  void Terminate();
  /// Kills every process of the session, without waiting: a later Poll says how the leader ended.
  void Kill();

 private:
  ProcessGroup(pid_t pid, int pidfd) : pid_(pid), pidfd_(pidfd) {}
  void KillMembers() const;
  std::optional<ExitState> ReapLeader();
  pid_t pid_ = 0;
  int pidfd_ = -1;
  std::optional<ExitState> exit_;
  std::string launch_;  // of an adopted group: its processes are known by this and not by their parent
};

}  // namespace srlm::launcher
