// Ranks that an MPI launcher started. mpi.h stays in the source file.
#pragma once

#include <memory>

#include "common/parallel/communicator.h"
#include "common/parallel/rank_board.h"

namespace srlm::parallel {

/// All ranks of MPI_COMM_WORLD, on a duplicate of it. MPI must have been started (mpi_session.h). Operations are MPI's
/// non-blocking ones, polled with short sleeps, so that a waiting rank leaves its core to others and a wait can end.
/// They are written on `board`, which outlives the communicator and says who is behind when a wait does not end.
Result<std::unique_ptr<Communicator>> MakeMpiCommunicator(const CommunicatorOptions& options, RankBoard& board);

}  // namespace srlm::parallel
