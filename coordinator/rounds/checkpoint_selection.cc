#include "coordinator/rounds/checkpoint_selection.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/base/failpoint.h"
#include "common/base/file.h"
#include "coordinator/rounds/round_problems.h"

namespace srlm::rounds {

namespace fs = std::filesystem;

bool IsBetter(const data::HeadToHead& against_the_one_before) {
  return against_the_one_before.win.n > 0 && against_the_one_before.win.value > against_the_one_before.lose.value;
}

CheckpointSelection::CheckpointSelection(const Context& context, TrainingJob job, ledger::JobRow row)
    : context_(context), job_(std::move(job)), row_(std::move(row)), steps_(SavedStepsOf(context.config, row_)) {}

Result<bool> CheckpointSelection::Advance() {
  while (row_.selected_step < 0) {
    if (next_ == steps_.size()) {
      SRLM_RETURN_IF_ERROR(Decide(next_ - 1));
      break;
    }
    if (measures_ == nullptr) {
      measures_ = std::make_unique<AnswerMeasures>(context_, Name(next_), Name(next_ - 1));
      SRLM_RETURN_IF_ERROR(measures_->Begin());
    }
    if (measures_->open() > 0) return false;
    const uint64_t seed = context_.config.seed;
    SRLM_ASSIGN_OR_RETURN(const data::Figure parsed,
                          ComparisonParseRate(context_.ledger, Name(next_), Name(next_ - 1), seed));
    SRLM_ASSIGN_OR_RETURN(problem_, SelectionProblem(context_, Name(next_), parsed));
    if (!problem_.empty()) return false;
    SRLM_ASSIGN_OR_RETURN(const data::HeadToHead figures,
                          HeadToHeadOf(context_.ledger, Name(next_), Name(next_ - 1), seed));
    compared_.push_back(figures);
    total_ += measures_->total();
    failed_ += measures_->failed();
    measures_.reset();
    if (!IsBetter(figures)) SRLM_RETURN_IF_ERROR(Decide(next_ - 1));
    ++next_;
  }
  SRLM_RETURN_IF_ERROR(CarryOut());
  return true;
}

Result<bool> CheckpointSelection::Store(const schedule::Subject& subject, const Finished& finished) {
  return measures_ == nullptr ? Result<bool>(false) : measures_->Store(subject, finished);
}

Status CheckpointSelection::SetAside(const schedule::Subject& subject, const std::string& reason) {
  return measures_ == nullptr ? OkStatus() : measures_->SetAside(subject, reason);
}

Status CheckpointSelection::Decide(size_t saved) {
  row_.selected_step = steps_[saved];
  nlohmann::json comparisons = nlohmann::json::array();
  for (size_t i = 0; i < compared_.size(); ++i)
    comparisons.push_back({{"model", Name(i + 1)},
                           {"against", Name(i)},
                           {"better", IsBetter(compared_[i])},
                           {"head_to_head", data::ToJson(compared_[i])}});
  SRLM_RETURN_IF_ERROR(context_.ledger.SetJob(row_));
  return context_.Event(
      "info", job_.round, "checkpoint_selected",
      fmt::format("{} is {}, one of {} saved models: {}", job_.output, Name(saved), steps_.size(), comparisons.dump()));
}

Status CheckpointSelection::CarryOut() {
  SRLM_RETURN_IF_ERROR(context_.ledger.Commit());  // what the choice follows from cannot be made again after it
  Failpoint("selection.before_rename");
  const std::string folder = OutputFolder(context_, job_), chosen = SavedName(folder, row_.selected_step);
  std::error_code error;
  if (fs::exists(chosen, error)) {  // else it has its place already
    if (std::rename(chosen.c_str(), folder.c_str()) != 0) return FileError("rename to", folder, errno);
    SRLM_RETURN_IF_ERROR(SyncPath(fs::path(folder).parent_path().string()));
  }
  Failpoint("selection.after_rename");
  for (const int64_t step : steps_) fs::remove_all(SavedName(folder, step), error);
  Failpoint("selection.after_remove");
  const std::string model_id = context_.models.Find(SavedName(job_.output, row_.selected_step))->model_id;
  SRLM_RETURN_IF_ERROR(context_.models.AddTrained(job_.output, folder, model_id, job_.job_id).status());
  row_.state = "done";
  SRLM_RETURN_IF_ERROR(context_.ledger.SetJob(row_));
  return context_.Event("info", job_.round, "model_made",
                        fmt::format("{} ({}) by {}, after {} of {} steps", job_.output, model_id, job_.job_id,
                                    row_.selected_step, row_.step));
}

}  // namespace srlm::rounds
