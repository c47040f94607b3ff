// The processes of a launched group, from /proc. A group is a session of its own: mpirun gives each rank its own
// process group, so a signal to mpirun's group alone would miss the ranks.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "common/base/process.h"

namespace srlm::launcher {

/// The environment variable that every process of a launch has: `<run id>/<launch id>`.
inline constexpr char kLaunchVariable[] = "SRLM_LAUNCH_ID";

/// A descriptor that becomes readable when `pid` ends; negative when there is no such process. The caller closes it.
int OpenProcess(pid_t pid);

/// The living processes of a session (zombies are left out).
std::vector<ProcessEntry> SessionMembers(pid_t session);

/// Sends `signal` to every living process of a session.
void SignalSession(pid_t session, int signal);

/// The living processes on this host of the launch whose kLaunchVariable is `launch`, whoever started them.
std::vector<ProcessEntry> LaunchMembers(const std::string& launch);

/// Ends what a dead coordinator left of a launch: TERM, then KILL after `grace_s`. Returns whether something was
/// there to end.
bool EndLeftover(const std::string& launch, double grace_s);

}  // namespace srlm::launcher
