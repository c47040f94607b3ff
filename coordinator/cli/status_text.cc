#include "coordinator/cli/status_text.h"

#include <fmt/format.h>

#include "coordinator/cli/progress.h"
#include "coordinator/cli/rounds_table.h"
#include "coordinator/cli/table.h"
#include "coordinator/cli/text.h"

namespace srlm::cli {
namespace {

std::string DescribeWorkers(const v1::RunStatus& status, size_t width) {
  if (status.workers().empty()) return "";
  Table table({{"worker"},
               {"host"},
               {"pid", true},
               {"items", true},
               {"tokens/s", true},
               {"generated", true},
               {"prefilled", true},
               {"heard", true}});
  for (const v1::WorkerStatus& worker : status.workers()) {
    table.AddRow({worker.worker_id(), worker.host(), std::to_string(worker.pid()),
                  std::to_string(worker.leased_items()), fmt::format("{:.0f}", worker.tokens_per_second()),
                  Count(worker.generated_tokens()), Count(worker.prefilled_tokens()),
                  Span(worker.seconds_since_heard()) + " ago"});
  }
  return "\n" + table.Render(width);
}

std::string DescribeHealth(const v1::RunStatus& status) {
  if (status.health().empty()) return "";
  // A protobuf map has no order of its own.
  const std::map<std::string, double> sorted(status.health().begin(), status.health().end());
  std::string line = "\njudge:";
  for (const auto& [name, value] : sorted) line += fmt::format(" {}={:.4g}", name, value);
  return line + "\n";
}

}  // namespace

std::string DescribeStatus(const v1::RunStatus& status, size_t width) {
  std::string text = fmt::format("{} ({}): {}", OneLine(status.name()), OneLine(status.run_id()), status.state());
  if (!status.folder().empty()) text += fmt::format(", in {}", OneLine(status.folder()));
  text += "\n";
  if (!status.message().empty()) text += Wrap(status.message(), width > 2 ? width - 2 : width, 2);
  if (!status.progress().phase().empty() && status.state() == "running") {
    text += fmt::format("round {}, {}: {}\n", status.round(), PhaseTitle(status.progress().phase()),
                        DescribeProgress(status.progress(), 24));
  }
  text += DescribeWorkers(status, width);
  text += DescribeHealth(status);
  if (const std::string rounds = DescribeRounds(status.rounds(), width); !rounds.empty()) text += "\n" + rounds;
  if (status.duplicates() > 0) text += fmt::format("\n{} late results dropped\n", status.duplicates());
  if (!status.last_errors().empty()) text += "\nlast errors:\n";
  for (const std::string& error : status.last_errors()) text += "  " + Shorten(OneLine(error), width - 2) + "\n";
  return text;
}

}  // namespace srlm::cli
