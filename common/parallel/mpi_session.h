// MPI's begin and end in this process.
#pragma once

#include <memory>

#include "common/base/status.h"
#include "common/device/plugin.h"
#include "common/parallel/communicator.h"
#include "common/parallel/rank_board.h"
#include "common/parallel/side_channel.h"

namespace srlm::parallel {

/// Seconds that MPI's begin and end may each take: they wait for all ranks. A process whose call takes longer says so
/// and ends (watchdog.h).
inline constexpr double kMpiSetUpSeconds = 300;

/// Owns MPI_Init and MPI_Finalize. A process that no MPI launcher started is one rank and never starts MPI. Make one,
/// in main, before threads; keep MPI calls on that thread.
class MpiSession {
 public:
  /// Ranks of several also begin to tell one another where they are (side_channel.h).
  /// Unavailable when MPI does not start, or does not let a process have threads beside the one that calls it.
  static Result<std::unique_ptr<MpiSession>> Start(int* argc, char*** argv, double set_up_timeout_s = kMpiSetUpSeconds);
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }

  /// A communicator of all ranks (a duplicate of MPI_COMM_WORLD); must end before the session. With `device`, also of
  /// their devices (device_communicator.h).
  Result<std::unique_ptr<Communicator>> World(const CommunicatorOptions& options = {},
                                              const device::Device* device = nullptr);

  /// Takes the device of this rank's place on its host. All ranks have theirs, or all of them fail, each that has
  /// none with its own reason.
  Result<device::Device> TakeDevice(const CommunicatorOptions& options);

  /// How long MPI's end may take, when not set_up_timeout_s.
  void set_end_timeout_s(double seconds) { end_timeout_s_ = seconds; }

  /// Ends all ranks of the job with `exit_code`: for a rank that fails alone, whose peers would wait for it. Without
  /// MPI it returns.
  void Abort(int exit_code);

 private:
  explicit MpiSession(double timeout_s) : end_timeout_s_(timeout_s) {}
  double end_timeout_s_;
  bool uses_mpi_ = false;
  int rank_ = 0;
  int size_ = 1;
  std::unique_ptr<RankBoard> board_;
  std::unique_ptr<SideChannel> channel_;  // null: one rank, or it does not work
};

}  // namespace srlm::parallel
