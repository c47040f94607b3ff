#include "common/parallel/mpi_session.h"

#include <mpi.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "common/parallel/device_communicator.h"
#include "common/parallel/mpi_communicator.h"
#include "common/parallel/mpi_side_channel.h"
#include "common/parallel/thread_communicator.h"
#include "common/parallel/watchdog.h"

namespace srlm::parallel {
namespace {

// The launcher knows after milliseconds, and then gives ranks that are stopped a second or two before it kills any:
// this rank does not wait for that.
constexpr std::chrono::milliseconds kAbortTime(700);

/// Whether an MPI launcher (OpenMPI's mpirun, srun --mpi=pmix, MPICH's hydra) started this process. Starting MPI
/// without one makes OpenMPI spawn a daemon, for nothing.
bool LaunchedByMpi() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"}) {
    if (std::getenv(name) != nullptr) return true;
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<MpiSession>> MpiSession::Start(int* argc, char*** argv, double set_up_timeout_s) {
  std::unique_ptr<MpiSession> session(new MpiSession(set_up_timeout_s));
  if (!LaunchedByMpi()) {
    session->board_ = std::make_unique<RankBoard>(0, 1);
    return session;
  }
  int provided = MPI_THREAD_SINGLE;
  {
    const Watchdog watchdog("MPI_Init", set_up_timeout_s);
    if (MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
      return Unavailable("MPI did not start; run the program under mpirun, or without it as one rank");
    }
  }
  session->uses_mpi_ = true;
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_rank(MPI_COMM_WORLD, &session->rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &session->size_);
  session->board_ = std::make_unique<RankBoard>(session->rank_, session->size_);
  if (provided < MPI_THREAD_FUNNELED) {
    return Unavailable("this MPI was built without threads (MPI_THREAD_FUNNELED is needed); build with another one");
  }
  if (session->size_ > 1) {
    const Watchdog watchdog("the ranks' first exchange", set_up_timeout_s);
    session->channel_ = ConnectSideChannel(*session->board_);
  }
  return session;
}

MpiSession::~MpiSession() {
  if (!uses_mpi_) return;
  board_->BeginWait("MPI_Finalize");
  const Watchdog watchdog("MPI_Finalize", end_timeout_s_, board_.get());
  MPI_Finalize();
}

Result<std::unique_ptr<Communicator>> MpiSession::World(const CommunicatorOptions& options,
                                                        const device::Device* device) {
  Result<std::unique_ptr<Communicator>> host =
      uses_mpi_ ? MakeMpiCommunicator(options, *board_) : MakeSelfCommunicator();
  if (!host.ok() || device == nullptr) return host;
  return MakeDeviceCommunicator(*device, std::move(host).value(), options, *board_);
}

Result<device::Device> MpiSession::TakeDevice(const CommunicatorOptions& options) {
  SRLM_ASSIGN_OR_RETURN(const std::unique_ptr<Communicator> world, World(options));
  Result<device::Device> taken = device::TakeDevice({.rank = world->rank_on_host(), .ranks = world->ranks_on_host()});
  SRLM_RETURN_IF_ERROR(Agree(*world, taken.status(), "taking devices").status);
  return taken;
}

void MpiSession::Abort(int exit_code) {
  if (!uses_mpi_) return;
  std::thread([exit_code] {
    std::this_thread::sleep_for(kAbortTime);
    _exit(exit_code);
  }).detach();
  MPI_Abort(MPI_COMM_WORLD, exit_code);
}

}  // namespace srlm::parallel
