#include "coordinator/cli/output.h"

#include <cerrno>
#include <cstdio>

#include "common/base/file.h"

namespace srlm::cli {

Status Print(std::string_view text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return OkStatus();
  if (errno == EPIPE) return {Code::kCancelled, "nobody reads the output"};
  return FileError("write", "standard output", errno);
}

int Finish(const Status& status) { return status.ok() || status.code() == Code::kCancelled ? kExitDone : Fail(status); }

int Fail(const Status& status) {
  std::fprintf(stderr, "srlm: %s\n", status.message().c_str());
  return kExitFailed;
}

}  // namespace srlm::cli
