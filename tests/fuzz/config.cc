// Any text as a run's configuration and one `--set`.
#include "common/config/config.h"

#include "common/base/check.h"
#include "tests/fuzz/harness.h"

namespace srlm {

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto parts = fuzz::Parts(fuzz::Text(data, size), 2);
  std::vector<std::string> overrides;
  if (!parts[1].empty()) overrides.push_back(parts[1]);
  const auto config = config::Parse(parts[0], "fuzz.yaml", "/fuzz", overrides);
  if (!config.ok()) {
    SRLM_CHECK(!config.status().message().empty(), parts[0]);
    return 0;
  }
  // What is stored with a run must be read back as it was.
  const std::string stored = config::ToYaml(*config);
  const auto again = config::Parse(stored, "stored.yaml", "/elsewhere");
  SRLM_CHECK(again.ok(), again.status().message() + "\n" + stored);
  SRLM_CHECK(config::ToYaml(*again) == stored, stored);
  SRLM_CHECK(config::Differences(*config, *again).empty(), stored);
  return 0;
}

}  // namespace srlm
