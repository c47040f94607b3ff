// Processes of this host as the kernel lists them, and the host's name.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace srlm {

struct ProcessEntry {
  pid_t pid = 0;
  pid_t session = 0;
  char state = 0;            // Z: ended, not yet reaped
  uint64_t start_ticks = 0;  // since boot; with the pid it names one process

  /// Whether it still runs: a zombie has ended.
  bool alive() const { return state != 'Z' && state != 'X'; }
};

/// The entry of `pid`; none when there is no such process.
std::optional<ProcessEntry> ReadProcess(pid_t pid);

/// Every process that is alive.
std::vector<ProcessEntry> LivingProcesses();

/// Whether `pid` was started with `entry`, "NAME=value", in its environment. False as well where this user may not
/// read that.
bool HasInEnvironment(pid_t pid, const std::string& entry);

/// The value that variable `name` had in the environment with which `pid` was started; none when it had none, or where
/// this user may not read that.
std::optional<std::string> ReadVariable(pid_t pid, const std::string& name);

/// The host's name, as messages and locks give it.
std::string HostName();

}  // namespace srlm
