#include "coordinator/fsck/run.h"

#include <fmt/format.h>

#include <algorithm>

namespace srlm::fsck {

int Run::Newest() const {
  int newest = 0;
  while (models.contains(fmt::format("M{}", newest + 1))) ++newest;
  return newest;
}

std::string Run::ModelId(const std::string& name) const {
  const auto model = models.find(name);
  return model == models.end() ? "" : model->second.model_id;
}

std::string Run::JudgeOf(int round) const {
  return config.judge.model == "policy" ? fmt::format("M{}", round) : "judge";
}

std::string Run::WriterOf(int round) const {
  const std::string& writer = config.prompts.writer;
  return writer == "policy" ? fmt::format("M{}", round) : writer == "base" ? "M0" : "writer";
}

const ledger::RoundRow* Run::Round(int round) const {
  const auto row = std::ranges::find(rounds, round, &ledger::RoundRow::round);
  return row == rounds.end() ? nullptr : &*row;
}

Result<bool> Run::HasEvent(int round, const std::string& event) const {
  SRLM_ASSIGN_OR_RETURN(ledger::Query query,
                        ledger.database().Prepare("SELECT 1 FROM events WHERE round = ? AND event = ? LIMIT 1"));
  query.BindNext(round, event);
  return query.Step();
}

Status CheckIntegrity(const Run& run, Report& report) {
  report.Begin("ledger");
  SRLM_ASSIGN_OR_RETURN(ledger::Query query, run.ledger.database().Prepare("PRAGMA integrity_check(20)"));
  while (true) {
    SRLM_ASSIGN_OR_RETURN(const bool more, query.Step());
    if (!more) return OkStatus();
    std::string said;
    query.Read(said);
    if (said == "ok") {
      report.Counted("SQLite's integrity_check passed");
    } else {
      report.Add("ledger.sqlite", "SQLite finds it damaged: " + said, kRowsChanged);
    }
  }
}

}  // namespace srlm::fsck
