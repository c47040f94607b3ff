#include "common/data/judge_template.h"

#include <array>
#include <utility>
#include <vector>

#include "common/base/check.h"

namespace srlm::data {
namespace {

constexpr std::string_view kKind = "a judge template";

std::vector<std::string> Marks() { return {"{prompt}", "{response}"}; }

// The same text as deploy/templates/judge.txt, where users start from; a test compares them.
constexpr char kBuiltIn[] =
    R"(Grade the response that an assistant gave to a user's instruction. Start at 0 points and add one point for each statement that is true:
- The response is on the subject and gives some correct information.
- It deals with a substantial part of what was asked.
- It answers the basic elements of the instruction in a useful way.
- It speaks to the user as a helpful assistant, directly, completely and in good order.
- It shows expert knowledge, fits this user well and has nothing superfluous.

<instruction>
{prompt}
</instruction>

<response>
{response}
</response>

Justify the total briefly. Then end with this line:
Score: <total points>)";

}  // namespace

JudgeTemplate JudgeTemplate::BuiltIn() {
  Result<JudgeTemplate> parsed = Parse(kBuiltIn, "the built-in judge template");
  SRLM_CHECK(parsed.ok(), parsed.status().message());
  return std::move(parsed).value();
}

Result<JudgeTemplate> JudgeTemplate::Load(const std::string& path) {
  if (path.empty()) return BuiltIn();
  SRLM_ASSIGN_OR_RETURN(MarkedText text, MarkedText::Load(path, Marks(), kKind));
  return JudgeTemplate(std::move(text));
}

Result<JudgeTemplate> JudgeTemplate::Parse(std::string text, std::string_view origin) {
  SRLM_ASSIGN_OR_RETURN(MarkedText marked, MarkedText::Parse(std::move(text), Marks(), kKind, origin));
  return JudgeTemplate(std::move(marked));
}

std::string JudgeTemplate::Fill(std::string_view prompt, std::string_view response) const {
  const std::array<std::string_view, 2> values = {prompt, response};
  return text_.Fill(values);
}

}  // namespace srlm::data
