#include <fmt/format.h>

#include "common/base/hash.h"
#include "common/data/records.h"
#include "common/data/verdict.h"
#include "coordinator/fsck/run.h"
#include "coordinator/rounds/evaluation.h"

namespace srlm::fsck {
namespace {

std::string RowOf(const std::string& model, int answer, int vote) {
  return fmt::format("evaluation_votes, model {}, answer {}, vote {}", model, answer, vote);
}

/// How many answers there are to judge, from the file that the run began with; none when that file is not there.
std::optional<int> CountAnswers(const Run& run) {
  const std::string& path = run.config.data.evaluation;
  if (path.empty()) return 0;
  const auto hash = Sha256File(path);
  const auto noted = run.ledger.Fact("input.data.evaluation");
  if (!hash.ok() || !noted.ok() || *hash != *noted) return std::nullopt;
  const auto rows = data::LoadRankedAnswers(path);
  if (!rows.ok()) return std::nullopt;
  return static_cast<int>(rows->size());
}

class ModelVotes {
 public:
  ModelVotes(const Run& run, std::string model, Report& report)
      : run_(run), model_(std::move(model)), report_(report) {}

  Status Read(RowDigest& digest) {
    SRLM_ASSIGN_OR_RETURN(const auto rows, run_.ledger.EvaluationVotes(model_));
    count_ = static_cast<int64_t>(rows.size());
    for (const ledger::EvaluationVoteRow& row : rows) {
      digest.Add(row);
      if (!there_.emplace(std::pair(row.answer, row.vote), row.state).second)
        Add(row.answer, row.vote, "it is there more than once");
      else
        CheckRow(row);
    }
    return OkStatus();
  }

  /// Every answer has its expected verdict, its sampled votes, or one row that says why not.
  void CheckComplete(int answers) {
    const config::EvaluationConfig& config = run_.config.evaluation;
    std::map<std::pair<int, int>, std::string> more = there_;
    const auto take = [&](int answer, int vote) {
      if (more.erase({answer, vote}) == 0) Add(answer, vote, "it is missing, though the model's judging was measured");
    };
    for (int answer = 0; answer < answers; ++answer) {
      if (config.verdict == config::VerdictKind::kExpected) take(answer, rounds::kExpectedVote);
      const auto first = there_.find({answer, 0});
      const bool set_aside = first != there_.end() && first->second == "failed";
      for (int vote = 0; vote < (set_aside ? 1 : config.sampled_votes); ++vote) take(answer, vote);
    }
    for (const auto& [key, state] : more) Add(key.first, key.second, "it is one too many");
  }

  int64_t count() const { return count_; }

 private:
  void Add(int answer, int vote, const std::string& what) {
    report_.Add(RowOf(model_, answer, vote), what, kRowsChanged);
  }

  void CheckRow(const ledger::EvaluationVoteRow& row) {
    if (row.state == "failed") {
      if (row.text.empty()) Add(row.answer, row.vote, "it was set aside without a reason");
      return;
    }
    const std::string model = run_.ModelId(model_);
    const auto state = data::VerdictStateFromName(row.state);
    if (row.model_id != model)
      Add(row.answer, row.vote, fmt::format("made by model {}, and {} is {}", row.model_id, model_, model));
    else if (!state || (*state == data::VerdictState::kParsed) != row.score.has_value())
      Add(row.answer, row.vote, fmt::format("its state \"{}\" and its score do not fit", row.state));
    else if (row.vote != rounds::kExpectedVote && data::ParseVerdict(row.text).state != *state)
      Add(row.answer, row.vote, "its text says another score");
  }

  const Run& run_;
  std::string model_;
  Report& report_;
  std::map<std::pair<int, int>, std::string> there_;  // answer and vote: state
  int64_t count_ = 0;
};

}  // namespace

Status CheckEvaluations(Run& run, Report& report) {
  report.Begin("evaluations");
  const std::optional<int> answers = CountAnswers(run);
  if (!answers)
    report.NotChecked(run.config.data.evaluation +
                      " is not the file that the run began with: whether answers are missing is not known");
  int64_t votes = 0;
  int measured = 0;
  RowDigest& digest = run.digests["evaluation votes"];
  for (int number = 1; number <= run.Newest(); ++number) {
    const std::string model = fmt::format("M{}", number);
    ModelVotes of_model(run, model, report);
    SRLM_RETURN_IF_ERROR(of_model.Read(digest));
    votes += of_model.count();
    SRLM_ASSIGN_OR_RETURN(const auto metrics, run.ledger.Evaluation(model));
    measured += metrics.has_value();
    if (metrics && answers) of_model.CheckComplete(*answers);
    const bool next = run.models.contains(fmt::format("M{}", number + 1));
    if (!metrics && rounds::Measures(run.config) && (run.done() || next))
      report.Add("evaluations, model " + model, "it was not measured before the run went on", kRowsChanged);
  }
  report.Counted(fmt::format("{} votes, {} of {} models measured", votes, measured, run.Newest()));
  return OkStatus();
}

}  // namespace srlm::fsck
