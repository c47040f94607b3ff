// Starting a program that takes nothing over from this one.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace srlm {

/// Where a program starts.
struct SpawnPlace {
  int output = -1;          // gets what it prints
  int errors = -1;          // gets its errors; negative: output does
  std::string input = {};   // a file that it reads; empty: nothing
  std::string folder = {};  // its current folder; empty: this process's
  bool session = false;     // in a session of its own
};

/// Starts `command` (its first word looked for in PATH) with default signals and no other open files than those of
/// `place`. Returns 0 and the process id, or an errno: posix_spawn rather than fork, so that no handler of a library
/// (gRPC has one) runs between, and a missing program is an error here instead of a child that ends with 127.
int SpawnProgram(const std::vector<std::string>& command, char* const* environment, const SpawnPlace& place,
                 pid_t* pid);

/// Whether `program` can be executed: a path with a slash, or a name in PATH.
bool CanRun(const std::string& program);

/// The texts as exec wants them: pointers into `texts`, and a null one.
std::vector<char*> CStrings(const std::vector<std::string>& texts);

}  // namespace srlm
