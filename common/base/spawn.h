// Starting a program that takes nothing over from this one.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace srlm {

/// Starts `command` (its first word looked for in PATH) with default signals, no input and no other open file than
/// `output`, which gets what it prints and its errors. `session`: in a session of its own. Returns 0 and the process
/// id, or an errno: posix_spawn rather than fork, so that no handler of a library (gRPC has one) runs between, and a
/// missing program is an error here instead of a child that ends with 127.
int SpawnProgram(const std::vector<std::string>& command, char* const* environment, int output, bool session,
                 pid_t* pid);

/// The texts as exec wants them: pointers into `texts`, and a null one.
std::vector<char*> CStrings(const std::vector<std::string>& texts);

}  // namespace srlm
