// A whole training job: inputs, network, reference, steps, the saved model.
#pragma once

#include "common/base/status.h"
#include "common/parallel/communicator.h"
#include "trainer/job/options.h"
#include "trainer/job/reporter.h"

namespace srlm::trainer {

/// How a job ended on this rank.
struct JobEnd {
  Status status;
  bool together = true;     // all ranks left at the same place and may end MPI in order; false: peers may be anywhere
  bool everywhere = false;  // every rank ends with this same status: one message is enough
};

/// Runs the job on this rank. `reporter` is used on rank 0 and may be null.
JobEnd RunJob(const TrainerOptions& options, parallel::Communicator& communicator, Reporter* reporter);

}  // namespace srlm::trainer
