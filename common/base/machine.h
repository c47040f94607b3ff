// What this process may use of its machine: cores and memory.
#pragma once

#include <cstdint>

namespace srlm {

/// Cores that this process may run on: its affinity, as taskset, a container or mpirun's binding set it. At least 1.
int AvailableCores();

/// Threads of each of `ranks` ranks that share those cores; at least 1. Ranks that are bound each to cores of its own
/// share them with nobody: ask for 1 rank there.
int ThreadsPerRank(int ranks);

/// Largest resident memory of this process so far.
int64_t PeakRssBytes();

/// Memory that the system could give now without swapping, within the limit of this process's control group; 0 when
/// nobody says.
int64_t AvailableMemoryBytes();

}  // namespace srlm
