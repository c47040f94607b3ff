#include "common/rpc/library_log.h"

#include <grpc/support/log.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

#include "common/base/clock.h"
#include "common/base/log.h"

namespace srlm::rpc {
namespace {

constexpr int64_t kMsBetweenLines = 1000;

// The library knows one function a process, without a context.
struct LibraryLog {
  std::atomic<bool> serves = false;
  std::atomic<int64_t> last_ms = 0;
  std::atomic<uint64_t> left_out = 0;
};
LibraryLog& State() {
  static LibraryLog state;
  return state;
}

void Take(gpr_log_func_args* line) {
  LibraryLog& state = State();
  if (!state.serves || line->severity != GPR_LOG_SEVERITY_ERROR) return;
  const int64_t now_ms = WallClockMs();
  int64_t last_ms = state.last_ms;
  if (now_ms - last_ms < kMsBetweenLines || !state.last_ms.compare_exchange_strong(last_ms, now_ms)) {
    ++state.left_out;
    return;
  }
  LogWarning("grpc", {{"message", line->message}, {"left_out", state.left_out.exchange(0)}});
}

}  // namespace

void TakeLibraryLog(bool serves) {
  if (std::getenv("GRPC_VERBOSITY") != nullptr) return;
  if (serves) State().serves = true;
  gpr_set_log_function(Take);
}

}  // namespace srlm::rpc
