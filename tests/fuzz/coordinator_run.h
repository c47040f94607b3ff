// A run's coordinator without its network: what gRPC would hand over is handed over directly.
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <optional>
#include <string>

#include "coordinator/rounds/controls.h"
#include "coordinator/rounds/desk.h"
#include "coordinator/rounds/status_board.h"
#include "tests/fuzz/harness.h"

namespace srlm::fuzz {

/// What all runs have: configuration, data files, and ledgers that stand before M1 and at round 1.
class RunFiles {
 public:
  RunFiles();

  /// Puts the run's folder back to where M1 is not there yet, or to where its round begins.
  void Reset(bool has_model) const;

  const std::string& folder() const { return folder_.path(); }
  const config::RunConfig& config() const { return *config_; }
  const rounds::Inputs& inputs() const { return *inputs_; }
  /// The folder of every model of the run.
  const std::string& model() const { return model_; }

 private:
  std::string LedgerFile(bool has_model) const;

  Folder folder_;
  std::string model_;
  std::unique_ptr<config::RunConfig> config_;
  std::unique_ptr<rounds::Inputs> inputs_;
};

/// One life of the run. Every call checks that what a worker or trainer said has not broken the run.
class CoordinatorRun {
 public:
  CoordinatorRun(const RunFiles& files, bool has_model);

  /// One message: its kind (`register`, `lease`, `renew`, `submit`, `leave`, `progress`, `done`, `failed`, `list`,
  /// `status`) and its text form, in which "=" as an id or a hash
  /// stands for the right one. What cannot be read does nothing.
  void Say(const std::string& kind, const std::string& text);
  /// The machine's next step, `seconds` from now.
  void Advance(double seconds);
  /// Answers the first waiting item in the way a worker would; its words follow from `seed`.
  void AnswerOne(uint64_t seed);
  /// Puts a model where the training job's belongs.
  void MakeModel();
  /// Every row must be what its key says, and every table must list.
  void CheckTables();

 private:
  /// An item with all that its worker is given; nothing when it does not wait, or cannot be asked.
  std::optional<v1::Item> Whole(const std::string& item_id) const;
  void Complete(v1::SubmitRequest& request);
  void Complete(v1::TrainingDone& done);
  template <class Request, class Call>
  void Ask(const std::string& text, Call call);

  const RunFiles& files_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<rounds::ModelBook> models_;
  schedule::WorkQueue queue_;
  schedule::Workers workers_;
  rounds::Context context_;
  rounds::Machine machine_;
  rounds::Desk desk_;
  rounds::Controls controls_;
  rounds::StatusBoard board_;
  Clock::time_point now_ = Clock::now();
};

}  // namespace srlm::fuzz
