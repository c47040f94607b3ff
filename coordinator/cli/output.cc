#include "coordinator/cli/output.h"

#include <cstdio>

namespace srlm::cli {

bool Print(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

int Fail(const Status& status) {
  std::fprintf(stderr, "srlm: %s\n", status.message().c_str());
  return kExitFailed;
}

}  // namespace srlm::cli
