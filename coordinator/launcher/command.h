// The command line that starts a group of ranks, from a template.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/status.h"

namespace srlm::launcher {

/// What fills a template.
struct CommandValues {
  int ranks = 1;
  std::vector<std::string> program;  // the program and its arguments, in place of {program}
  std::string hostfile;              // in place of {hostfile}; empty: a template that asks for it is refused
  std::map<std::string, std::string> more = {};  // in place of {name}, by name
};

/// One rank on this host, or several of them sharing its cores.
inline constexpr char kLaptopCommand[] = "mpirun --bind-to none -n {ranks} {program}";
/// Ranks go over the NUMA domains in turn, each on the cores of its own (OpenMPI's default would give each of two ranks
/// one core); a rank with a device then moves to those near it. More ranks than the nodes have slots are refused.
inline constexpr char kClusterCommand[] = "mpirun --map-by numa --bind-to numa -n {ranks} {program}";
/// The same on given hosts. mpirun sends nothing of our environment there but what is named.
inline constexpr char kHostsCommand[] =
    "mpirun --hostfile {hostfile} --map-by numa --bind-to numa -x OMP_WAIT_POLICY -x SRLM_LOG_DIR -n {ranks} {program}";

/// A step of the Slurm job that the coordinator runs in. Explicit nodes, no more CPUs than it asks for, no waiting for
/// those of another step; a lost node ends the step's ranks there and not the others; a lost rank ends the step.
inline constexpr char kSlurmCommand[] =
    "srun --job-name={name} --nodes={nodes} --nodelist={nodelist} --ntasks={ranks} --cpus-per-task={cpus} --exact "
    "--overlap --mem=0 --no-kill --kill-on-bad-exit=1 --mpi=pmix --input=none {program}";

/// Splits `command` at spaces ('...' and "..." keep them) and fills {ranks}, {program} and {hostfile}; {program}
/// stands alone and becomes as many words as it has. No shell reads the result. InvalidArgument names an
/// unknown or missing placeholder, or a quote that does not end.
Result<std::vector<std::string>> ExpandCommand(const std::string& command, const CommandValues& values);

}  // namespace srlm::launcher
