#include <fmt/format.h>

#include "coordinator/cli/commands.h"
#include "coordinator/cli/output.h"
#include "coordinator/cli/run_inputs.h"
#include "coordinator/cli/signals.h"
#include "coordinator/cli/table.h"
#include "coordinator/cli/text.h"
#include "coordinator/prepare/prepare.h"

namespace srlm::cli {
namespace {

std::string Number(int64_t value) { return Count(static_cast<uint64_t>(value)); }

void AddHistogram(Table& table, const char* name, const data::ScoreHistogram& histogram) {
  std::vector<std::string> cells = {name};
  for (const int64_t count : histogram) cells.push_back(Number(count));
  table.AddRow(std::move(cells));
}

std::string Describe(const prepare::Report& report, const prepare::Options& options, size_t width) {
  Table files({{"file"}, {"format"}, {"rows", true}, {"prompts", true}, {"answers", true}});
  for (const prepare::SourceCount& source : report.sources)
    files.AddRow({source.path, source.format, Number(source.rows), Number(source.prompts), Number(source.answers)});
  Table left({{"left out of"}, {"reason"}, {"count", true}});
  for (const auto& [key, count] : report.rejects) left.AddRow({key.first, key.second, Number(count)});
  Table made({{"made"}, {"rows", true}, {"what"}});
  if (report.ift_rows > 0)
    made.AddRow({"ift.jsonl", Number(report.ift_rows),
                 options.ift.empty() ? "prompts with their best answers" : "prompts with answers, ready-made"});
  if (report.eft_rows > 0)
    made.AddRow({"eft.jsonl", Number(report.eft_rows),
                 !options.eft.empty() ? "judgements as lessons, ready-made"
                                      : fmt::format("judgements as lessons on {} prompts; scores: {}",
                                                    Number(report.eft_prompts), report.eft_origin)});
  if (report.evaluation_answers > 0)
    made.AddRow({"evaluation.jsonl", Number(report.evaluation_answers),
                 fmt::format("ranked answers to {} prompts", Number(report.evaluation_prompts))});
  if (report.lesson_prompts > 0 && report.eft_rows == 0)
    made.AddRow({"-", Number(report.lesson_answers),
                 fmt::format("ranked answers to {} prompts, kept for EFT: give the command again with --model",
                             Number(report.lesson_prompts))});
  Table scores({{"EFT scores"}, {"0", true}, {"1", true}, {"2", true}, {"3", true}, {"4", true}, {"5", true}});
  if (report.eft_rows > 0) {
    AddHistogram(scores, "before balancing", report.scores_before);
    AddHistogram(scores, "written", report.scores_after);
  }
  std::string text;
  if (!files.empty()) text += files.Render(width) + "\n";
  if (!left.empty()) text += left.Render(width) + "\n";
  if (!scores.empty()) text += scores.Render(width) + "\n";
  return text + made.Render(width) + fmt::format("in {}, with rejects.jsonl and report.json\n", options.out);
}

}  // namespace

int Prepare(const prepare::Options& options) {
  StopSignals signals;
  prepare::Surroundings surroundings;
  surroundings.worker = ProgramFolder() + "/srlm-worker";
  surroundings.stopped = [&signals] { return signals.Wait(-1, Deadline::AfterSeconds(0)) != 0; };
  surroundings.say = [](const std::string& line) { (void)Print(line + "\n"); };
  const auto report = prepare::Prepare(options, surroundings);
  if (!report.ok()) return Fail(report.status());
  return Finish(Print(Describe(*report, options, TerminalWidth(1))));
}

}  // namespace srlm::cli
