#include "trainer/job/job_checkpoints.h"

#include <fmt/format.h>

#include <sstream>

#include "common/base/log.h"
#include "trainer/job/identity.h"

namespace srlm::trainer {
namespace {

Status OfAnotherJob(const std::string& path, const std::string& difference) {
  return FailedPrecondition(
      fmt::format("{}: a checkpoint of another job: {}. Give --checkpoint-folder another folder, delete this one, or "
                  "begin anew and replace its checkpoints with --resume false",
                  path, difference));
}

}  // namespace

JobCheckpoints::JobCheckpoints(const TrainerOptions& options, Network& network, AdamW& optimizer, Trainer& trainer)
    : options_(options),
      folder_(CheckpointFolderOf(options), options.keep_checkpoints),
      network_(network),
      optimizer_(optimizer),
      trainer_(trainer) {
  if (!options.resume) folder_.ForgetOthers();
}

Status JobCheckpoints::Load(checkpoint::TrainingState& state) {
  SRLM_ASSIGN_OR_RETURN(checkpoint::Newest newest, folder_.FindNewest());
  refused_ = std::move(newest.refused);
  for (const std::string& reason : refused_) LogWarning("checkpoint_refused", {{"reason", reason}});
  if (newest.path.empty()) return OkStatus();
  SRLM_ASSIGN_OR_RETURN(checkpoint::TrainingState stored, checkpoint::ReadState(newest.path));
  const std::string difference = DifferenceTo(stored.identity, state.identity, options_);
  if (!difference.empty()) return OfAnotherJob(newest.path, difference);

  std::vector<double> reference = trainer_.reference_values();
  std::vector<checkpoint::MutablePart> parts = {checkpoint::MutablePartOf("weights", network_.weights()),
                                                checkpoint::MutablePartOf("first_moment", optimizer_.first_moment()),
                                                checkpoint::MutablePartOf("second_moment", optimizer_.second_moment())};
  if (!reference.empty()) parts.push_back(checkpoint::MutablePartOf("reference", reference));
  SRLM_ASSIGN_OR_RETURN(state, checkpoint::Read(newest.path, parts));
  trainer_.set_reference_values(reference);
  path_ = newest.path;
  return OkStatus();
}

Status JobCheckpoints::Share(parallel::Communicator& communicator, checkpoint::TrainingState& state,
                             std::span<int64_t> threads) {
  std::vector<int64_t> counts = {path_.empty() ? 0 : 1, state.step, state.tokens};
  std::vector<double> values = {state.seconds, state.reference_seconds, state.first_loss};
  SRLM_RETURN_IF_ERROR(communicator.Broadcast(parallel::BufferOf(std::span(counts)), 0, "where to begin"));
  if (counts[0] == 0) return OkStatus();
  SRLM_RETURN_IF_ERROR(communicator.Broadcast(parallel::BufferOf(std::span(values)), 0, "the checkpoint's totals"));
  std::istringstream of_ranks(state.identity.settings[kThreads]);
  for (int64_t& of_rank : threads) {
    if (communicator.rank() == 0) of_ranks >> of_rank;
    of_ranks.ignore(1);
  }
  SRLM_RETURN_IF_ERROR(communicator.Broadcast(parallel::BufferOf(threads), 0, "the checkpoint's threads"));
  std::vector<double> reference = trainer_.reference_values();
  for (const std::span<float> part : {network_.weights(), optimizer_.first_moment(), optimizer_.second_moment()}) {
    SRLM_RETURN_IF_ERROR(communicator.Broadcast(parallel::BufferOf(part), 0, "the checkpoint's values"));
  }
  SRLM_RETURN_IF_ERROR(communicator.Broadcast(parallel::BufferOf(std::span(reference)), 0, "the reference values"));
  trainer_.set_reference_values(reference);
  state.step = counts[1];
  state.tokens = counts[2];
  state.seconds = values[0];
  state.reference_seconds = values[1];
  state.first_loss = values[2];
  optimizer_.set_steps(state.step);
  return OkStatus();
}

Status JobCheckpoints::Save(const checkpoint::TrainingState& state) {
  const std::vector<double> reference = trainer_.reference_values();
  std::vector<checkpoint::Part> parts = {checkpoint::PartOf("weights", network_.weights()),
                                         checkpoint::PartOf("first_moment", optimizer_.first_moment()),
                                         checkpoint::PartOf("second_moment", optimizer_.second_moment())};
  if (!reference.empty()) parts.push_back(checkpoint::PartOf("reference", reference));
  SRLM_ASSIGN_OR_RETURN(path_, folder_.Save(state, parts));
  LogInfo("checkpoint", {{"step", state.step}, {"folder", path_}});
  return OkStatus();
}

}  // namespace srlm::trainer
