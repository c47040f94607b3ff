#include "common/parallel/mpi_side_channel.h"

#include <mpi.h>

#include <cstring>

#include "common/base/log.h"

namespace srlm::parallel {
namespace {

/// Whether all ranks are on rank 0's host.
bool OnOneHost(const RankBoard& board) {
  std::array<char, 256> rank_0 = {};
  const std::string mine = board.Own().host.substr(0, rank_0.size() - 1);
  std::memcpy(rank_0.data(), mine.data(), mine.size());
  if (MPI_Bcast(rank_0.data(), static_cast<int>(rank_0.size()), MPI_BYTE, 0, MPI_COMM_WORLD) != MPI_SUCCESS) {
    return false;
  }
  int same = mine == rank_0.data() ? 1 : 0, all = 0;
  return MPI_Allreduce(&same, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD) == MPI_SUCCESS && all == 1;
}

}  // namespace

std::unique_ptr<SideChannel> ConnectSideChannel(RankBoard& board) {
  const bool one_host = OnOneHost(board);
  Result<std::unique_ptr<SideChannel>> channel = std::unique_ptr<SideChannel>();
  SideChannelAddress address;
  if (board.rank() == 0) {
    channel = SideChannel::Open(board, one_host);
    if (channel.ok()) address = (*channel)->address();
  }
  const int told = MPI_Bcast(&address, sizeof address, MPI_BYTE, 0, MPI_COMM_WORLD);
  if (board.rank() != 0 && told == MPI_SUCCESS && address.port != 0) channel = SideChannel::Join(board, address);
  if (!channel.ok()) LogWarning("side_channel", {{"reason", channel.status().message()}});
  return channel.ok() ? std::move(*channel) : nullptr;
}

}  // namespace srlm::parallel
