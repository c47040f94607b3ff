// A whole training job: inputs, network, reference, steps, the saved model.
#pragma once

#include <functional>

#include "common/base/status.h"
#include "common/device/plugin.h"
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

/// Runs the job on this rank. `reporter` is used on rank 0 and may be null. `noticed` (may be null) says whether this
/// rank was told to end soon: then, or when the reporter says stop, all ranks end after the present step with
/// Cancelled, with a checkpoint. `device` (null: the processor) is the one that the communicator is of, too.
JobEnd RunJob(const TrainerOptions& options, parallel::Communicator& communicator, Reporter* reporter,
              const std::function<bool()>& noticed = nullptr, const device::Device* device = nullptr);

}  // namespace srlm::trainer
