// Any text as a judgement.
#include "common/data/verdict.h"

#include "common/base/check.h"
#include "common/data/judge_template.h"
#include "tests/fuzz/harness.h"

namespace srlm {

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(fuzz::Text(data, size));
  const data::Verdict verdict = data::ParseVerdict(text);
  SRLM_CHECK(verdict.score.has_value() == (verdict.state == data::VerdictState::kParsed), text);
  if (verdict.score) SRLM_CHECK(*verdict.score >= data::kMinScore && *verdict.score <= data::kMaxScore, text);
  SRLM_CHECK(data::VerdictStateFromName(data::VerdictStateName(verdict.state)) == verdict.state, text);
  // The last match counts, whatever was said before it.
  const data::Verdict last{3, data::VerdictState::kParsed};
  SRLM_CHECK(data::ParseVerdict(text + "\nScore: 3") == last, text);
  return 0;
}

}  // namespace srlm
