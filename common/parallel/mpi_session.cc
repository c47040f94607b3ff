#include "common/parallel/mpi_session.h"

#include <mpi.h>

#include <cstdlib>

#include "common/parallel/mpi_communicator.h"
#include "common/parallel/thread_communicator.h"

namespace srlm::parallel {
namespace {

/// Whether an MPI launcher (OpenMPI's mpirun, srun --mpi=pmix, MPICH's hydra) started this process. Starting MPI
/// without one makes OpenMPI spawn a daemon, for nothing.
bool LaunchedByMpi() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"}) {
    if (std::getenv(name) != nullptr) return true;
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<MpiSession>> MpiSession::Start(int* argc, char*** argv) {
  std::unique_ptr<MpiSession> session(new MpiSession);
  if (!LaunchedByMpi()) return session;
  int provided = 0;
  if (MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
    return Unavailable("MPI did not start; run the program under mpirun, or without it as one rank");
  }
  session->uses_mpi_ = true;
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_rank(MPI_COMM_WORLD, &session->rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &session->size_);
  return session;
}

MpiSession::~MpiSession() {
  if (uses_mpi_) MPI_Finalize();
}

Result<std::unique_ptr<Communicator>> MpiSession::World(const CommunicatorOptions& options) {
  if (!uses_mpi_) return MakeSelfCommunicator();
  return MakeMpiCommunicator(options);
}

void MpiSession::Abort(int exit_code) {
  if (uses_mpi_) MPI_Abort(MPI_COMM_WORLD, exit_code);
}

}  // namespace srlm::parallel
