#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "common/base/clock.h"
#include "common/rpc/run_secrets.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/live_run.h"
#include "coordinator/cli/output.h"

namespace srlm::cli {
namespace {

std::string UserAtHost() {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  const passwd* const user = getpwuid(geteuid());
  return fmt::format("{}@{}", user != nullptr ? user->pw_name : std::to_string(geteuid()), host.data());
}

/// What to do about a run that nobody works on.
Status NobodyWorksOn(const ControlOptions& options, const v1::RunStatus& status) {
  const std::string go_on = fmt::format("`{0} run {1}/config.yaml --run-dir {1}`", options.program, options.run_dir);
  if (status.state() == "done")
    return FailedPrecondition(fmt::format("{} is done: there is nothing to {}", options.run_dir, options.what));
  std::string text = fmt::format("nobody works on {} (state: {}", options.run_dir, status.state());
  if (!status.message().empty()) text += "; " + status.message();
  return FailedPrecondition(text +
                            (options.what == "resume"
                                 ? "); go on with it by "
                                 : "): there is nothing to " + options.what + "; it would go on by ") +
                            go_on);
}

Result<std::unique_ptr<LiveRun>> Connect(const ControlOptions& options) {
  if (!options.address.empty()) return LiveRun::Connect(options.address, options.secrets);
  SRLM_ASSIGN_OR_RETURN(auto run, OpenRun(options.run_dir, rpc::Right::kSteer));
  if (dynamic_cast<LiveRun*>(run.get()) != nullptr) {
    return std::unique_ptr<LiveRun>(static_cast<LiveRun*>(run.release()));
  }
  SRLM_ASSIGN_OR_RETURN(const v1::RunStatus status, run->Status());
  return NobodyWorksOn(options, status);
}

Result<v1::RunStatus> Ask(const ControlOptions& options, LiveRun& run) {
  SRLM_ASSIGN_OR_RETURN(const auto answer, run.Steer(options.what, UserAtHost(), options.reason));
  v1::RunStatus status;
  status.set_state(answer.state());
  status.set_message(answer.message());
  return status;
}

/// Asks, and follows the run until it is as asked, or its coordinator ends. It is watched before it is asked: one that
/// ends at once has its last words heard.
Result<v1::RunStatus> AskAndFollow(const ControlOptions& options, LiveRun& run) {
  constexpr int kIntervalMs = 100;
  const std::string wanted = options.what == "pause" ? "paused" : options.what == "resume" ? "running" : "";
  const Deadline deadline = Deadline::AfterSeconds(options.wait_s);
  Result<v1::RunStatus> last = Unavailable("not asked yet");
  SRLM_RETURN_IF_ERROR(run.Watch(kIntervalMs, deadline, [&, asked = false](const v1::RunStatus& status) mutable {
    last = std::exchange(asked, true) ? status : Ask(options, run);
    return last.ok() && last->state() != wanted;
  }));
  if (last.status().code() == Code::kUnavailable) return Ask(options, run);
  if (!last.ok()) return last;
  if (last->state() == wanted) {
    const auto now = run.Status();  // the answer to a wish says who asked, not how it is
    return now.ok() ? now : last;   // it may have ended meanwhile, and is as asked all the same
  }
  if (!deadline.Expired()) return last;
  return DeadlineExceeded(
      fmt::format("still {} after {:.0f} s; it goes on by itself, and `{} status` says when it is so", last->state(),
                  options.wait_s, options.program));
}

}  // namespace

int Steer(const ControlOptions& options) {
  auto run = Connect(options);
  if (!run.ok()) return Fail(run.status());
  const auto now = options.wait_s > 0 ? AskAndFollow(options, **run) : Ask(options, **run);
  if (!now.ok()) return Fail(now.status());
  (void)Print((now->message().empty() ? now->state() : now->message()) + "\n");
  return kExitDone;
}

}  // namespace srlm::cli
