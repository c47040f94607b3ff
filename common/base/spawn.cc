#include "common/base/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

namespace srlm {

std::vector<char*> CStrings(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

int SpawnProgram(const std::vector<std::string>& command, char* const* environment, const SpawnPlace& place,
                 pid_t* pid) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, place.input.empty() ? "/dev/null" : place.input.c_str(),
                                   O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, place.output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, place.errors < 0 ? place.output : place.errors, STDERR_FILENO);
  if (!place.folder.empty()) posix_spawn_file_actions_addchdir_np(&files, place.folder.c_str());
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  const int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (place.session ? POSIX_SPAWN_SETSID : 0);
  posix_spawnattr_setflags(&attributes, static_cast<short>(flags));
  const int error =
      posix_spawnp(pid, command.at(0).c_str(), &files, &attributes, CStrings(command).data(), environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

bool CanRun(const std::string& program) {
  if (program.find('/') != std::string::npos) return access(program.c_str(), X_OK) == 0;
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  std::string folder;
  while (std::getline(folders, folder, ':')) {
    if (access((folder.empty() ? program : folder + "/" + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace srlm
