// The models of a run: which there are, what their folders and ids are, and how they turn text into tokens.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/config/config.h"
#include "common/text/chat.h"
#include "common/text/choices.h"
#include "coordinator/ledger/ledger.h"
#include "srlm/v1/work.pb.h"

namespace srlm::rounds {

struct KnownModel {
  std::string name;  // "M1", "M2.step-200"; "writer", "judge" and "evaluation judge" for fixed models from outside
  std::string model_id;
  std::string folder;  // absolute
};

/// Name of the model that compares `newer`'s answers with another's; of one that a job saved, the same for all of the
/// job: the model that it trains.
std::string EvaluationJudgeName(const config::RunConfig& config, const std::string& newer);

class ModelBook {
 public:
  /// Reads the ledger's models, and notes M0 and the fixed writer and judge of `config`. FailedPrecondition when the
  /// files of one of these are not those that the run began with.
  static Result<std::unique_ptr<ModelBook>> Open(const config::RunConfig& config, const std::string& run_dir,
                                                 ledger::Ledger& ledger);

  /// Notes a model that a job made in `folder` (absolute), by its manifest, whose id must be `model_id`. With a round's
  /// model those that its job saved on its way are known no more.
  Result<KnownModel> AddTrained(const std::string& name, const std::string& folder, const std::string& model_id,
                                const std::string& job_id);

  /// Null when there is none (yet).
  const KnownModel* Find(const std::string& name) const;
  const KnownModel* FindById(const std::string& model_id) const;
  /// The number of the newest trained model; 0 before M1.
  int Newest() const;

  /// Who writes new prompts, judges, in the round of `policy` ("M1"). The policy must be there.
  const KnownModel& WriterFor(const std::string& policy) const;
  const KnownModel& JudgeFor(const std::string& policy) const;

  /// Who compares the answers of `newer` with those of the model before: EvaluationJudgeName.
  const KnownModel& EvaluationJudgeFor(const std::string& newer) const;

  /// The model's tokenizer and chat template, loaded when first asked for.
  Result<const text::Chat*> ChatOf(const KnownModel& model);
  /// The texts of a result's samples, computed by `model`. InvalidArgument when their token ids are none.
  Result<std::vector<std::string>> Texts(const KnownModel& model, const v1::ItemResult& result);
  /// What opens an expected verdict, and the tokens of its digits.
  Result<const text::Choices*> ScoreChoicesOf(const KnownModel& model);
  /// The same of an expected verdict on two texts.
  Result<const text::Choices*> PairChoicesOf(const KnownModel& model);

 private:
  ModelBook(const config::RunConfig& config, std::string run_dir, ledger::Ledger& ledger)
      : config_(config), run_dir_(std::move(run_dir)), ledger_(ledger) {}
  Status NoteOutside(const std::string& name, const std::string& folder);
  void ForgetSaved(const std::string& output);

  const config::RunConfig& config_;
  std::string run_dir_;
  ledger::Ledger& ledger_;
  std::map<std::string, KnownModel> models_;                  // by name
  std::map<std::string, std::unique_ptr<text::Chat>> chats_;  // by folder
  using ChoicesByFolder = std::map<std::string, std::unique_ptr<text::Choices>>;
  Result<const text::Choices*> ChoicesOf(const KnownModel& model, ChoicesByFolder& known,
                                         Result<text::Choices> (*find)(const text::Chat& chat));
  ChoicesByFolder score_choices_;
  ChoicesByFolder pair_choices_;
};

}  // namespace srlm::rounds
