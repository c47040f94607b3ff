// The environment that a launched group starts with.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace srlm::launcher {

/// Names and values, each name once.
using Environment = std::map<std::string, std::string>;

/// This process's environment, without what another MPI job left in it: an mpirun that inherits OMPI_*, PMIX_*,
/// ORTE_*, OPAL_* or PRTE_* believes that it is part of that job and fails silently. OpenMPI's two consents to
/// run as root are kept.
Environment CleanEnvironment();

/// The same from `name=value` strings, as in `environ` (ended by a null pointer).
Environment CleanEnvironment(const char* const* entries);

/// What OpenMPI and OpenMP need where ranks share the cores of one host: waiting ranks yield, sockets stay on
/// loopback, messages on one host go through shared memory. Root's consent is given for uid 0 only.
Environment LaptopEnvironment(bool is_root);

/// `name=value` strings, as exec wants them.
std::vector<std::string> ToEntries(const Environment& environment);

}  // namespace srlm::launcher
