// The side channel of MPI_COMM_WORLD. mpi.h stays in the source file.
#pragma once

#include <memory>

#include "common/parallel/side_channel.h"

namespace srlm::parallel {

/// All ranks call it together, after MPI has begun. Null where this rank has no channel, which the log tells: the job
/// goes on, and messages about hangs name fewer ranks.
std::unique_ptr<SideChannel> ConnectSideChannel(RankBoard& board);

}  // namespace srlm::parallel
