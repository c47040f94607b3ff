// Groups of ranks: start one with an environment, watch it, stop it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/config/config.h"

namespace srlm::launcher {

struct SlurmJob;

/// What is to be started.
struct LaunchSpec {
  std::string id;       // unique in the run: names the launch in Poll, Stop, logs and ledger
  std::string program;  // path of the executable
  std::vector<std::string> args;
  int ranks = 1;
  std::map<std::string, std::string> env;  // added to this process's environment, cleaned of what MPI left there
  std::string log_dir;                     // made when missing; ranks find it as SRLM_LOG_DIR, for their <rank>.log
  std::vector<std::string> hosts;          // `name` or `name:slots` each; empty: as the launcher chooses
  int threads = 0;                         // that each rank will use; 0: those of its share of the cores
  bool together = false;  // on as few hosts as have the cores: its ranks talk in every layer. For launchers that place
};

/// A group that was started.
struct Launch {
  std::string id;
  int64_t process_group = 0;  // of the local mpirun; for the ledger
};

/// Exit code of a group that was started by an earlier coordinator, which alone could have learnt it.
inline constexpr int kExitUnknown = -1;

/// What became of a group.
struct LaunchStatus {
  bool running = false;
  int exit_code = 0;              // when ended by exit; 128 + signal when ended by one; kExitUnknown when adopted
  std::string reason;             // for people: "exit 1", "signal 9 (Killed)"; empty while running
  std::vector<std::string> tail;  // last lines of its logs, when it failed
};

/// Calls come from one thread. No call waits for a group.
class Launcher {
 public:
  virtual ~Launcher() = default;

  /// Starts a group. NotFound when the program or mpirun is missing, with what to do.
  virtual Result<Launch> Start(const LaunchSpec& spec) = 0;

  /// Takes over group `id`, which an earlier coordinator started with `launch` as its kLaunchVariable (session.h): from
  /// now on it is like one started here. False when it has ended; ranks that outlived their mpirun are killed then.
  virtual Result<bool> Adopt(const std::string& id, const std::string& launch, const std::string& log_dir) = 0;

  /// How a group is. NotFound for an id that was never started here. Sends the KILL of a Stop that is overdue.
  virtual Result<LaunchStatus> Poll(const std::string& id) = 0;

  /// Ids of the groups that have not ended, by a Poll of each.
  virtual std::vector<std::string> Running() = 0;

  /// Forgets all groups, and leaves them running: they are another coordinator's.
  virtual void Abandon() = 0;

  /// Where groups can be put, for LaunchSpec.hosts; empty: on this host alone.
  virtual std::vector<std::string> Hosts() const { return {}; }

  /// A group's hosts did not bring its ranks up: where there is a choice they are not used again.
  virtual void GiveUpHostsOf(const std::string& /*id*/) {}

  /// Asks a group to end: TERM now, KILL by a Poll after `deadline`. Returns at once; ended groups are left alone.
  virtual Status Stop(const std::string& id, Deadline deadline) = 0;
};

/// mpirun groups, started on this host, with their ranks here or on the hosts of their spec; the destructor kills what
/// still runs.
Result<std::unique_ptr<Launcher>> MakeLocalLauncher(const config::LauncherConfig& config);

/// Steps of `job` (slurm_job.h), which this process is the batch script of. FailedPrecondition when it is too small for
/// the run; NotFound when srun is missing.
Result<std::unique_ptr<Launcher>> MakeSlurmLauncher(const config::RunConfig& config, const SlurmJob& job);

/// The command line that would start `spec`, quoted for a shell: shown when a person is to start it.
std::string ShellCommand(const LaunchSpec& spec);

}  // namespace srlm::launcher
