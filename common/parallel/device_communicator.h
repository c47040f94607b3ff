// Ranks whose devices talk to one another: NCCL, by the entry points of a plug-in (common/device/entry_points.h), for
// buffers in a device's memory, and another communicator for the host's.
#pragma once

#include <memory>

#include "common/device/plugin.h"
#include "common/parallel/communicator.h"
#include "common/parallel/rank_board.h"

namespace srlm::parallel {

/// `host` says who the ranks are: it hands out NCCL's id, and does whatever is in the host's memory, barriers among it.
/// All its ranks call this together. `board`, which outlives it, is the host communicator's.
///
/// An operation on a device's memory runs on a stream of its own, after what ATen's stream of the calling thread holds
/// at its start; ATen's later work runs after it from Wait on, which itself does not stay for it. A thread watches over
/// what is under way: at the deadline of an operation (counted from when the device could begin it) or at an error of
/// NCCL's own, all operations are aborted on the device, and the failure, with rank, operation and number, is what
/// every later call returns, Check among them.
Result<std::unique_ptr<Communicator>> MakeDeviceCommunicator(const device::Device& device,
                                                             std::unique_ptr<Communicator> host,
                                                             const CommunicatorOptions& options, RankBoard& board);

}  // namespace srlm::parallel
