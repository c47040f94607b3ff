#include <unistd.h>

#include "coordinator/cli/commands.h"
#include "coordinator/cli/live_run.h"
#include "coordinator/cli/output.h"
#include "coordinator/cli/progress.h"
#include "coordinator/cli/proto_json.h"
#include "coordinator/cli/status_text.h"
#include "coordinator/cli/text.h"

namespace srlm::cli {
namespace {

Status Show(const v1::RunStatus& status, bool json) {
  using nlohmann::ordered_json;
  if (json) return Print(ToJson(status).dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
  return Print(DescribeStatus(status, TerminalWidth(STDOUT_FILENO)));
}

/// Follows a run until its coordinator ends: progress as `srlm run` shows it, or one JSON object a change.
int Watch(LiveRun& run, bool json) {
  constexpr int kIntervalMs = 500;
  v1::RunStatus last;
  Status end, shown;
  {
    ProgressPrinter printer(stdout, isatty(STDOUT_FILENO) == 1, TerminalWidth(STDOUT_FILENO));
    end = run.Watch(kIntervalMs, std::nullopt, [&](const v1::RunStatus& status) {
      last = status;
      if (json) return (shown = Show(status, true)).ok();
      printer.Update(status);
      return std::ferror(stdout) == 0;
    });
  }
  if (!end.ok()) return Fail(end);
  if (!json) shown = Show(last, false);
  if (shown.ok() && last.state() == "running")
    return Fail(Unavailable("the coordinator went away without a word: it was killed, or cannot be reached any more"));
  return Finish(shown);
}

}  // namespace

int ShowStatus(const StatusOptions& options) {
  auto run = options.address.empty() ? OpenRun(options.run_dir) : OpenAddress(options.address, options.secrets);
  if (!run.ok()) return Fail(run.status());
  if (auto* live = dynamic_cast<LiveRun*>(run->get()); live != nullptr && options.watch)
    return Watch(*live, options.json);
  const auto status = (*run)->Status();
  if (!status.ok()) return Fail(status.status());
  return Finish(Show(*status, options.json));
}

}  // namespace srlm::cli
