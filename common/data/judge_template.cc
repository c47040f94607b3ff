#include "common/data/judge_template.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/check.h"
#include "common/base/file.h"

namespace srlm::data {
namespace {

constexpr std::string_view kPromptMark = "{prompt}";
constexpr std::string_view kResponseMark = "{response}";
constexpr size_t kMaxTemplateBytes = 1 << 20;

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

/// Where `mark` stands, exactly once.
Result<size_t> FindOnce(const std::string& text, std::string_view mark, std::string_view origin) {
  const size_t at = text.find(mark);
  if (at == std::string::npos)
    return InvalidArgument(
        fmt::format("{}: {} is missing; a judge template needs {{prompt}} and {{response}}", origin, mark));
  if (text.find(mark, at + 1) != std::string::npos)
    return InvalidArgument(fmt::format("{}: {} stands more than once; keep one", origin, mark));
  return at;
}

}  // namespace

JudgeTemplate::JudgeTemplate(std::string text)
    : text_(std::move(text)), prompt_at_(text_.find(kPromptMark)), response_at_(text_.find(kResponseMark)) {}

JudgeTemplate JudgeTemplate::BuiltIn() { return JudgeTemplate(kBuiltIn); }

Result<JudgeTemplate> JudgeTemplate::Load(const std::string& path) {
  if (path.empty()) return BuiltIn();
  SRLM_ASSIGN_OR_RETURN(std::string text, ReadFile(path));
  if (text.size() > kMaxTemplateBytes)
    return InvalidArgument(fmt::format("{}: larger than {} bytes, not a judge template", path, kMaxTemplateBytes));
  // Editors end files with a line break; the template does not mean it.
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return Parse(std::move(text), path);
}

Result<JudgeTemplate> JudgeTemplate::Parse(std::string text, std::string_view origin) {
  for (const std::string_view mark : {kPromptMark, kResponseMark})
    SRLM_RETURN_IF_ERROR(FindOnce(text, mark, origin).status());
  return JudgeTemplate(std::move(text));
}

std::string JudgeTemplate::Fill(std::string_view prompt, std::string_view response) const {
  const bool prompt_first = prompt_at_ < response_at_;
  const size_t first_at = prompt_first ? prompt_at_ : response_at_;
  const size_t second_at = prompt_first ? response_at_ : prompt_at_;
  const size_t first_end = first_at + (prompt_first ? kPromptMark : kResponseMark).size();
  const size_t second_end = second_at + (prompt_first ? kResponseMark : kPromptMark).size();
  std::string filled;
  filled.reserve(text_.size() + prompt.size() + response.size());
  filled.append(text_, 0, first_at);
  filled.append(prompt_first ? prompt : response);
  filled.append(text_, first_end, second_at - first_end);
  filled.append(prompt_first ? response : prompt);
  filled.append(text_, second_end);
  return filled;
}

}  // namespace srlm::data
