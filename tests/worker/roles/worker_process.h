// srlm-worker as a process of its own, as the coordinator or a person starts it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace srlm::worker {

class WorkerProcess {
 public:
  /// Starts `srlm-worker --run RUN` with more arguments, and `environment` (name=value) beside this process's one; what
  /// it says goes to RUN/stderr.
  WorkerProcess(const std::string& run_dir, const std::vector<std::string>& arguments,
                const std::vector<std::string>& environment = {});
  /// Ends it, if it still runs.
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  void Signal(int signal);
  /// Its exit code; -1 when it still runs after `seconds`, 1000 + n when signal n ended it.
  int Wait(double seconds = 30);
  std::string Stderr() const;

 private:
  std::string stderr_path_;
  pid_t pid_ = -1;
};

}  // namespace srlm::worker
