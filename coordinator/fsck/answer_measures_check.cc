#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>

#include "common/base/hash.h"
#include "common/base/saved_steps.h"
#include "common/data/pairwise_verdict.h"
#include "common/data/records.h"
#include "coordinator/fsck/run.h"
#include "coordinator/rounds/checkpoint_selection.h"
#include "coordinator/rounds/evaluation_items.h"
#include "coordinator/rounds/ranked_judging.h"

namespace srlm::fsck {
namespace {

/// The rows of a file that the run began with: none when it is another file now, or cannot be read.
template <class Load>
std::optional<int> CountRows(const Run& run, const std::string& path, const std::string& key, Load load) {
  if (path.empty()) return 0;
  const auto hash = Sha256File(path);
  const auto noted = run.ledger.Fact("input." + key);
  if (!hash.ok() || !noted.ok() || *hash != *noted) return std::nullopt;
  const auto rows = load(path);
  if (!rows.ok()) return std::nullopt;
  return static_cast<int>(rows->size());
}

class Checker {
 public:
  Checker(Run& run, RowDigest& answers_digest, RowDigest& comparisons_digest, Report& report)
      : run_(run),
        report_(report),
        answers_digest_(answers_digest),
        comparisons_digest_(comparisons_digest),
        held_out_digest_(run.digests["held-out answers"]) {}

  /// Of the rounds' models.
  Status CheckMeasured() {
    const config::DataConfig& data = run_.config.data;
    prompts_ = Count(data.evaluation_prompts, "data.evaluation_prompts", data::LoadPrompts);
    held_out_ = Count(data.held_out, "data.held_out", data::LoadHumanAnswers);
    for (int number = 0; number <= run_.Newest(); ++number) {
      const std::string model = fmt::format("M{}", number), other = fmt::format("M{}", number - 1);
      // M0 is measured with M1.
      SRLM_ASSIGN_OR_RETURN(const auto metrics, run_.ledger.Evaluation(number == 0 ? "M1" : model));
      measured_ = metrics.has_value();
      SRLM_RETURN_IF_ERROR(CheckAnswers(model));
      SRLM_RETURN_IF_ERROR(CheckHeldOut(model));
      if (number > 0) SRLM_RETURN_IF_ERROR(CheckComparisons(model, other));
      before_ = std::move(answers_);
    }
    report_.Counted(fmt::format("{} answers, {} comparisons, {} held-out answers", answers_seen_, comparisons_seen_,
                                held_out_seen_));
    return OkStatus();
  }

  /// Of the models that jobs saved, and the choice among them.
  Status CheckSaved() {
    prompts_ = Count(run_.config.data.validation_prompts, "data.validation_prompts", data::LoadPrompts);
    SRLM_ASSIGN_OR_RETURN(const auto jobs, run_.ledger.Jobs());
    RowDigest& choices = run_.digests["selected steps"];
    int chosen = 0;
    for (const ledger::JobRow& job : jobs) {
      if (!rounds::Selects(run_.config, job.kind) || (job.state != "selecting" && job.state != "done")) continue;
      choices.Put(job.job_id);
      choices.Put(std::to_string(job.selected_step));
      chosen += job.selected_step >= 0;
      SRLM_RETURN_IF_ERROR(CheckChoice(job));
    }
    report_.Counted(
        fmt::format("{} models chosen, {} answers, {} comparisons", chosen, answers_seen_, comparisons_seen_));
    return OkStatus();
  }

 private:
  template <class Load>
  std::optional<int> Count(const std::string& path, const std::string& key, Load load) {
    const auto count = CountRows(run_, path, key, load);
    if (!count)
      report_.NotChecked(path + " is not the file that the run began with: whether rows are missing is not known");
    return count;
  }

  /// The walk that made the choice, over the rows.
  Status CheckChoice(const ledger::JobRow& job) {
    const auto steps = rounds::SavedStepsOf(run_.config, job);
    const int64_t found_before = report_.FoundIn("choice of checkpoints");
    const std::string where = "jobs, " + job.job_id;
    int64_t best = steps.front();
    bool goes_on = true;
    before_.clear();
    for (size_t i = 0; i < steps.size(); ++i) {
      const std::string model = SavedName(job.output_model, steps[i]);
      if (!run_.models.contains(model)) Add("models, " + model, "it is missing, though its job saved it");
      measured_ = job.selected_step >= 0 && goes_on && steps.size() > 1;
      SRLM_RETURN_IF_ERROR(CheckAnswers(model));
      if (!goes_on && !answers_.empty())
        Add("evaluation_answers, model " + model, "it has answers, and the choice was made before it");
      if (i > 0) {
        const std::string other = SavedName(job.output_model, steps[i - 1]);
        SRLM_RETURN_IF_ERROR(CheckComparisons(model, other));
        SRLM_ASSIGN_OR_RETURN(const data::HeadToHead figures,
                              rounds::HeadToHeadOf(run_.ledger, model, other, run_.config.seed));
        goes_on = goes_on && rounds::IsBetter(figures);
        if (goes_on) best = steps[i];
      }
      before_ = std::move(answers_);
    }
    if (job.state == "done" && job.selected_step < 0) Add(where, "it is done, and no model was chosen");
    if (job.selected_step < 0 || report_.FoundIn("choice of checkpoints") > found_before) return OkStatus();
    if (job.selected_step != best)
      Add(where, fmt::format("its selected_step is {}, and the comparisons choose {}", job.selected_step, best));
    else if (const std::string saved = SavedName(job.output_model, best);
             job.state == "done" && run_.ModelId(job.output_model) != run_.ModelId(saved))
      Add("models, " + job.output_model, "it is not " + saved + ", which was chosen");
    return OkStatus();
  }

  void Add(const std::string& where, const std::string& what) { report_.Add(where, what, kRowsChanged); }

  void CheckMadeBy(const std::string& where, const std::string& model_id, const std::string& name) {
    if (model_id != run_.ModelId(name))
      Add(where, fmt::format("made by model {}, and {} is {}", model_id, name, run_.ModelId(name)));
  }

  Status CheckAnswers(const std::string& model) {
    SRLM_ASSIGN_OR_RETURN(const auto rows, run_.ledger.EvaluationAnswers(model));
    answers_.clear();
    for (const ledger::EvaluationAnswerRow& row : rows) {
      answers_digest_.Add(row);
      ++answers_seen_;
      const std::string where = fmt::format("evaluation_answers, model {}, prompt {}", model, row.prompt);
      answers_[row.prompt] = row;
      if (!row.reason.empty()) continue;
      CheckMadeBy(where, row.model_id, model);
      if (Sha256Tokens(row.token_ids) != row.token_hash) Add(where, "its hash is not that of its tokens");
    }
    if (measured_ && prompts_)
      for (int prompt = 0; prompt < *prompts_; ++prompt)
        if (!answers_.contains(prompt))
          Add(fmt::format("evaluation_answers, model {}, prompt {}", model, prompt),
              "it is missing, though the model was measured");
    return OkStatus();
  }

  Status CheckHeldOut(const std::string& model) {
    SRLM_ASSIGN_OR_RETURN(const auto rows, run_.ledger.HeldOut(model));
    std::set<int> there;
    for (const ledger::HeldOutRow& row : rows) {
      held_out_digest_.Add(row);
      ++held_out_seen_;
      there.insert(row.answer);
      const std::string where = fmt::format("held_out, model {}, answer {}", model, row.answer);
      if (row.logprob.has_value() == !row.reason.empty())
        Add(where, "it has a value and a reason for none, or neither");
      if (row.reason.empty()) CheckMadeBy(where, row.model_id, model);
    }
    if (measured_ && held_out_)
      for (int answer = 0; answer < *held_out_; ++answer)
        if (!there.contains(answer))
          Add(fmt::format("held_out, model {}, answer {}", model, answer),
              "it is missing, though the model was measured");
    return OkStatus();
  }

  Status CheckComparisons(const std::string& model, const std::string& other) {
    SRLM_ASSIGN_OR_RETURN(const auto rows, run_.ledger.Comparisons(model, other));
    std::map<std::pair<int, bool>, int> votes;
    std::set<std::pair<int, bool>> set_aside;
    for (const ledger::ComparisonRow& row : rows) {
      comparisons_digest_.Add(row);
      ++comparisons_seen_;
      ++votes[{row.prompt, row.backward}];
      if (row.state == "failed")
        set_aside.emplace(row.prompt, row.backward);
      else
        CheckComparison(row);
    }
    if (!measured_) return OkStatus();
    const config::EvaluationConfig& config = run_.config.evaluation;
    const int wanted = config.comparison == config::VerdictKind::kExpected ? 1 : config.comparison_votes;
    for (const auto& [prompt, answer] : answers_) {
      if (!answer.reason.empty() || !before_.contains(prompt) || !before_[prompt].reason.empty()) continue;
      for (const bool backward : {false, true}) {
        const int there = votes[{prompt, backward}];
        if (there != (set_aside.contains({prompt, backward}) ? 1 : wanted))
          Add(Where(model, other, prompt, backward), fmt::format("it has {} votes of {}", there, wanted));
      }
    }
    return OkStatus();
  }

  static std::string Where(const std::string& model, const std::string& other, int prompt, bool backward) {
    return fmt::format("comparisons, {} against {}, prompt {}, {}", model, other, prompt,
                       backward ? "backward" : "forward");
  }

  void CheckComparison(const ledger::ComparisonRow& row) {
    const std::string where = Where(row.model, row.other, row.prompt, row.backward);
    CheckMadeBy(where, row.model_id, rounds::EvaluationJudgeName(run_.config, row.model));
    const auto& first = row.backward ? before_[row.prompt] : answers_[row.prompt];
    const auto& second = row.backward ? answers_[row.prompt] : before_[row.prompt];
    if (row.subject_hash != rounds::ComparedHash(first.token_hash, second.token_hash))
      Add(where, "it compared other answers than those that are there");
    const auto verdict = data::PairVerdictFromName(row.verdict);
    if ((row.state == "parsed") != verdict.has_value())
      Add(where, fmt::format("its state \"{}\" and its verdict do not fit", row.state));
    else if (row.vote != rounds::kExpectedVote && data::ParsePairVerdict(row.text) != verdict)
      Add(where, "its text says another verdict");
  }

  Run& run_;
  Report& report_;
  RowDigest& answers_digest_;
  RowDigest& comparisons_digest_;
  RowDigest& held_out_digest_;
  std::optional<int> prompts_, held_out_;  // rows of the files
  bool measured_ = false;
  std::map<int, ledger::EvaluationAnswerRow> answers_, before_;  // of the model and the one before, by prompt
  int64_t answers_seen_ = 0, comparisons_seen_ = 0, held_out_seen_ = 0;
};

}  // namespace

Status CheckAnswerMeasures(Run& run, Report& report) {
  report.Begin("answers of evaluations");
  return Checker(run, run.digests["evaluation answers"], run.digests["comparisons"], report).CheckMeasured();
}

Status CheckSelections(Run& run, Report& report) {
  report.Begin("choice of checkpoints");
  if (run.config.dpo.selection_steps == 0) return OkStatus();
  return Checker(run, run.digests["validation answers"], run.digests["validation comparisons"], report).CheckSaved();
}

}  // namespace srlm::fsck
