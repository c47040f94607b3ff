// Ranks as threads of one process: for tests, and one rank alone for programs that run without mpirun.
#pragma once

#include <memory>
#include <vector>

#include "common/parallel/communicator.h"

namespace srlm::parallel {

/// Communicators of `ranks` ranks that share this process; hand each to its own thread. Sums run in rank order. An
/// operation whose kind, name or size differs between ranks fails on all of them.
std::vector<std::unique_ptr<Communicator>> MakeThreadCommunicators(int ranks, const CommunicatorOptions& options = {});

/// The one rank of a group of one.
std::unique_ptr<Communicator> MakeSelfCommunicator();

}  // namespace srlm::parallel
