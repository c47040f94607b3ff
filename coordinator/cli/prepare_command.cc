#include <fmt/format.h>

#include "coordinator/cli/commands.h"
#include "coordinator/cli/output.h"
#include "coordinator/cli/table.h"
#include "coordinator/cli/text.h"
#include "coordinator/prepare/prepare.h"

namespace srlm::cli {
namespace {

std::string Number(int64_t value) { return Count(static_cast<uint64_t>(value)); }

std::string Describe(const prepare::Report& report, const std::string& out, size_t width) {
  Table files({{"file"}, {"format"}, {"rows", true}, {"prompts", true}, {"answers", true}});
  for (const prepare::SourceCount& source : report.sources)
    files.AddRow({source.path, source.format, Number(source.rows), Number(source.prompts), Number(source.answers)});
  Table left({{"left out of"}, {"reason"}, {"count", true}});
  for (const auto& [key, count] : report.rejects) left.AddRow({key.first, key.second, Number(count)});
  Table made({{"made"}, {"rows", true}, {"what"}});
  made.AddRow({"ift.jsonl", Number(report.ift_rows), "prompts with their best answers"});
  if (report.eft_rows > 0) made.AddRow({"eft.jsonl", Number(report.eft_rows), "judgements as lessons"});
  if (report.evaluation_answers > 0)
    made.AddRow({"evaluation.jsonl", Number(report.evaluation_answers),
                 fmt::format("ranked answers to {} prompts", Number(report.evaluation_prompts))});
  if (report.lesson_prompts > 0)
    made.AddRow({"-", Number(report.lesson_answers),
                 fmt::format("ranked answers to {} prompts, kept for EFT", Number(report.lesson_prompts))});
  std::string text;
  if (!files.empty()) text += files.Render(width) + "\n";
  if (!left.empty()) text += left.Render(width) + "\n";
  return text + made.Render(width) + fmt::format("in {}, with rejects.jsonl and report.json\n", out);
}

}  // namespace

int Prepare(const prepare::Options& options) {
  const auto report = prepare::Prepare(options);
  if (!report.ok()) return Fail(report.status());
  return Finish(Print(Describe(*report, options.out, TerminalWidth(1))));
}

}  // namespace srlm::cli
