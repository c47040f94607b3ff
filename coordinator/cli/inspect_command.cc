#include <unistd.h>

#include "coordinator/cli/commands.h"
#include "coordinator/cli/output.h"
#include "coordinator/cli/rounds_table.h"
#include "coordinator/cli/row_text.h"
#include "coordinator/cli/run_reader.h"
#include "coordinator/cli/text.h"

namespace srlm::cli {
namespace {

int PrintJson(const Rows& rows) {
  for (const auto& row : rows) {
    const Status printed = Print(row.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
    if (!printed.ok()) return Finish(printed);
  }
  return kExitDone;
}

/// The table that a run ends with.
int ShowRounds(RunReader& run, const InspectOptions& options) {
  auto status = run.Status();
  if (!status.ok()) return Fail(status.status());
  google::protobuf::RepeatedPtrField<v1::RoundSummary> rounds;
  for (const v1::RoundSummary& round : status->rounds()) {
    const bool wanted = options.round == 0 || static_cast<int>(round.round()) == options.round;
    if (wanted && (options.limit == 0 || rounds.size() < options.limit)) *rounds.Add() = round;
  }
  if (rounds.empty()) return Finish(Print("no rounds yet\n"));
  const size_t width = TerminalWidth(STDOUT_FILENO);
  const std::string health = DescribeHealth(rounds, width);
  return Finish(Print(DescribeRounds(rounds, width) + (health.empty() ? "" : "\n" + health)));
}

}  // namespace

int Inspect(const InspectOptions& options) {
  auto run = OpenRun(options.run_dir);
  if (!run.ok()) return Fail(run.status());
  if (options.table == "rounds" && !options.json) return ShowRounds(**run, options);
  const auto rows = ReadRows(**run, options.table, options.round, options.limit);
  if (!rows.ok()) return Fail(rows.status());
  if (options.json) return PrintJson(*rows);
  return Finish(Print(rows->empty() ? "no " + options.table + " yet\n"
                                    : DescribeRows(options.table, *rows, TerminalWidth(STDOUT_FILENO))));
}

}  // namespace srlm::cli
