// The processes of a session, from /proc. A launched group is a session of its own: mpirun gives each rank its own
// process group, so a signal to mpirun's group alone would miss the ranks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace srlm::launcher {

/// A process as the kernel lists it.
struct ProcessEntry {
  pid_t pid = 0;
  pid_t session = 0;
  char state = 0;            // Z: ended, not yet reaped
  uint64_t start_ticks = 0;  // since boot; with the pid it names one process
};

/// The entry of `pid`; none when there is no such process.
std::optional<ProcessEntry> ReadProcess(pid_t pid);

/// A descriptor that becomes readable when `pid` ends; negative when there is no such process. The caller closes it.
int OpenProcess(pid_t pid);

/// The living processes of a session (zombies are left out).
std::vector<ProcessEntry> SessionMembers(pid_t session);

/// Sends `signal` to every living process of a session.
void SignalSession(pid_t session, int signal);

/// When a process started, in milliseconds since 1970 by the system's clock.
int64_t StartedMs(const ProcessEntry& process);

/// Ends a group that a dead coordinator left behind: TERM, then KILL after `grace_s`. `process_group` and
/// `started_ms` are the ledger's. Nothing happens when the group's leader is alive but started more than 10 s apart
/// from `started_ms`: its number went to somebody else. Returns whether something was there to end.
bool EndLeftover(int64_t process_group, int64_t started_ms, double grace_s);

}  // namespace srlm::launcher
