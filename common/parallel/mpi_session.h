// MPI's begin and end in this process.
#pragma once

#include <memory>

#include "common/base/status.h"
#include "common/parallel/communicator.h"

namespace srlm::parallel {

/// Owns MPI_Init and MPI_Finalize. A process that no MPI launcher started is one rank and never starts MPI. Make one,
/// in main, before threads; keep MPI calls on that thread.
class MpiSession {
 public:
  static Result<std::unique_ptr<MpiSession>> Start(int* argc, char*** argv);
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }

  /// A communicator of all ranks (a duplicate of MPI_COMM_WORLD); must end before the session.
  Result<std::unique_ptr<Communicator>> World(const CommunicatorOptions& options = {});

  /// Ends all ranks of the job with `exit_code`: for a rank that fails alone, whose peers would wait for it. Without
  /// MPI it returns.
  void Abort(int exit_code);

 private:
  MpiSession() = default;
  bool uses_mpi_ = false;
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace srlm::parallel
