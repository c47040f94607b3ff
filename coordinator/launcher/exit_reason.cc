#include "coordinator/launcher/exit_reason.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <string_view>

namespace srlm::launcher {
namespace {

std::string_view Meaning(int code) {
  switch (code) {
    case 0: return "finished";
    case 2: return "it was called wrongly";
    case 126: return "the program may not be executed";
    case 127: return "the program was not found";
    case 129: return "a rank was hung up (SIGHUP)";
    case 130: return "interrupted (SIGINT)";
    case 132: return "a rank used an instruction that this processor does not have (SIGILL)";
    case 134: return "a rank aborted: a broken invariant or an uncaught error (SIGABRT)";
    case 135: return "a rank read a file that shrank or a bad address (SIGBUS)";
    case 136: return "a rank failed in arithmetic (SIGFPE)";
    case 137: return "a rank was killed (SIGKILL): often the system ran out of memory";
    case 139: return "a rank crashed (segmentation fault)";
    case 143: return "it was asked to end (SIGTERM)";
    default: return "";
  }
}

}  // namespace

ExitState FromWaitStatus(int wait_status) {
  if (WIFSIGNALED(wait_status)) return {128 + WTERMSIG(wait_status), WTERMSIG(wait_status)};
  return {WEXITSTATUS(wait_status), 0};
}

std::string ExplainExit(const ExitState& exit) {
  if (exit.code < 0) return "exit code not known: an earlier coordinator started it";
  const std::string_view meaning = Meaning(exit.code);
  return meaning.empty() ? fmt::format("exit code {}", exit.code) : fmt::format("exit code {}: {}", exit.code, meaning);
}

}  // namespace srlm::launcher
