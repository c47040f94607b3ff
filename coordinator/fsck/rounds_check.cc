#include <fmt/format.h>

#include "common/base/saved_steps.h"
#include "coordinator/fsck/run.h"

namespace srlm::fsck {
namespace {

std::string RowOf(int round) { return fmt::format("rounds, round {}", round); }

// The model that a round makes, and what must be there when it is.
void CheckRound(const Run& run, const ledger::RoundRow& row, Report& report) {
  const std::string made = fmt::format("M{}", row.round + 1);
  const bool has_model = run.models.contains(made);
  if (row.round > 0 && !run.models.contains(fmt::format("M{}", row.round)))
    report.Add(RowOf(row.round), fmt::format("it began, and its model M{} is not in the ledger", row.round),
               kRowsChanged);
  if (row.pairs_closed && !row.prompts_closed)
    report.Add(RowOf(row.round), "its pairs are closed and its prompts are not", kRowsChanged);
  if (has_model && !row.pairs_closed)
    report.Add(RowOf(row.round), made + " is trained, and the pairs that it was trained on are not closed",
               kRowsChanged);
  if (row.ended_ms != 0 && !has_model)
    report.Add(RowOf(row.round), "it ended, and its model " + made + " is not in the ledger", kRowsChanged);
  if (run.done() && has_model && row.ended_ms == 0)
    report.Add(RowOf(row.round), "the run is done, and the end of this round is not noted",
               "only its time is missing: nothing need be done");
}

void CheckModelRow(const Run& run, const ledger::ModelRow& row, Report& report) {
  const std::string where = "models, " + row.name;
  const bool outside =
      row.name == "M0" || row.name == "writer" || row.name == "judge" || row.name == "evaluation judge";
  if (row.job_id.empty() != outside)
    report.Add(where, outside ? "a model from outside, made by job " + row.job_id : "no job made it", kRowsChanged);
  if (outside) return;
  const int number = std::atoi(row.name.c_str() + 1);
  const bool saved = !OutputOf(row.name).empty();  // one of which M<number> is or was chosen
  if (number < 1 || number > run.Newest() + (saved ? 1 : 0))
    report.Add(where, fmt::format("the models before it are missing: M{} is the last in order", run.Newest()),
               kRowsChanged);
  else if (run.Round(number - 1) == nullptr)
    report.Add(where, fmt::format("round {}, which makes it, is not in the ledger", number - 1), kRowsChanged);
}

}  // namespace

Status CheckRounds(const Run& run, Report& report) {
  report.Begin("rounds");
  report.Counted(fmt::format("{} rounds, {} models", run.rounds.size(), run.models.size()));
  int expected = 0;
  for (const ledger::RoundRow& row : run.rounds) {
    if (row.round != expected)
      report.Add(RowOf(row.round), fmt::format("round {} is missing before it", expected), kRowsChanged);
    expected = row.round + 1;
    CheckRound(run, row, report);
  }
  for (const auto& [name, row] : run.models) CheckModelRow(run, row, report);
  const int wanted = run.config.run.iterations + 1;
  if (run.done() && run.Newest() < wanted)
    report.Add("facts, state",
               fmt::format("the run says that it is done, and has {} of {} models", run.Newest(), wanted),
               "`srlm run` goes on with it");
  return OkStatus();
}

}  // namespace srlm::fsck
