// Any text as a judge template, a prompt and a response.
#include "common/data/judge_template.h"

#include "common/base/check.h"
#include "tests/fuzz/harness.h"

namespace srlm {

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto parts = fuzz::Parts(fuzz::Text(data, size), 3);
  static fuzz::MemoryFile file;
  const auto loaded = data::JudgeTemplate::Load(file.Write(parts[0]));
  if (!loaded.ok()) {
    SRLM_CHECK(!loaded.status().message().empty(), parts[0]);
    return 0;
  }
  constexpr size_t kMarks = sizeof "{prompt}{response}" - 1;
  const std::string filled = loaded->Fill(parts[1], parts[2]);
  SRLM_CHECK(filled.size() == loaded->text().size() - kMarks + parts[1].size() + parts[2].size(), filled);
  SRLM_CHECK(filled.find(parts[1]) != std::string::npos && filled.find(parts[2]) != std::string::npos, filled);
  const auto again = data::JudgeTemplate::Parse(loaded->text(), "again");
  SRLM_CHECK(again.ok() && again->Fill(parts[1], parts[2]) == filled, filled);
  return 0;
}

}  // namespace srlm
