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

bool Show(const v1::RunStatus& status, bool json) {
  using nlohmann::ordered_json;
  if (json) return Print(ToJson(status).dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
  return Print(DescribeStatus(status, TerminalWidth(STDOUT_FILENO)));
}

/// Follows a run until its coordinator ends: progress as `srlm run` shows it, or one JSON object a change.
int Watch(LiveRun& run, bool json) {
  constexpr int kIntervalMs = 500;
  v1::RunStatus last;
  Status end;
  {
    ProgressPrinter printer(stdout, isatty(STDOUT_FILENO) == 1, TerminalWidth(STDOUT_FILENO));
    end = run.Watch(kIntervalMs, [&](const v1::RunStatus& status) {
      last = status;
      if (json) return Show(status, true);
      printer.Update(status.round(), status.progress());
      return std::ferror(stdout) == 0;
    });
  }
  if (!end.ok()) return Fail(end);
  if (!json) Show(last, false);
  return kExitDone;
}

}  // namespace

int ShowStatus(const StatusOptions& options) {
  auto run = options.address.empty() ? OpenRun(options.run_dir) : OpenAddress(options.address, options.secrets);
  if (!run.ok()) return Fail(run.status());
  if (auto* live = dynamic_cast<LiveRun*>(run->get()); live != nullptr && options.watch)
    return Watch(*live, options.json);
  const auto status = (*run)->Status();
  if (!status.ok()) return Fail(status.status());
  Show(*status, options.json);
  return kExitDone;
}

}  // namespace srlm::cli
