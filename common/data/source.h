// Prompts with answers that somebody ranked or scored, out of the files that others publish.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

namespace srlm::data {

enum class SourceFormat {
  kRanked,         // this project's ranked answers: a row an answer (records.h)
  kOasstMessages,  // Open Assistant's flat export: a row a message, with parent_id and rank
  kOasstTrees,     // its trees: a row a conversation, with prompt.replies
  kUltraFeedback,  // a row a prompt: instruction, completions with overall_score
  kBinarized,      // a row a pair: chosen, rejected, score_chosen, score_rejected
  kHelpSteer,      // a row an answer: prompt, response, helpfulness 0 to 4
  kHelpSteer3,     // a row a pair: context, response1, response2, overall_preference -3 to 3
};

/// `ranked`, `oasst-messages`, ...: as options and reports name it.
std::string_view SourceFormatName(SourceFormat format);
std::vector<std::string> SourceFormatNames();
std::optional<SourceFormat> SourceFormatFromName(std::string_view name);

struct SourceAnswer {
  std::string response_id;
  std::string response;
  std::optional<double> quality;  // higher is better within the prompt; none: nobody ranked it
};

struct SourcePrompt {
  std::string prompt_id;
  std::string prompt;
  std::vector<SourceAnswer> answers;  // in the file's order
  std::string system = {};            // the message before the prompt; empty: none
};

/// What was left out, and why.
struct Reject {
  std::string stage;  // source, prompt, ift, eft, evaluation
  std::string reason;
  std::string prompt_id;
  std::string response_id;  // empty: the prompt with all its answers
  std::string detail;       // for people
};

/// A file's prompts in the order of their first rows.
struct Source {
  SourceFormat format = SourceFormat::kRanked;
  int64_t rows = 0;
  std::vector<SourcePrompt> prompts;
  // Stage source: not_first_turn, deleted, failed_review, empty_prompt, empty_answer, same_answer, same_message,
  // different_prompts, no_preference, no_prompt, no_answer, not_assistant.
  std::vector<Reject> rejects;
};

/// Reads a file, in the format that its first row shows unless one is given. Prompts without an id are named by the
/// hash of their text. `file:line: ...` for a row that is not of the format or an id with two different prompts or
/// messages.
Result<Source> LoadSource(const std::string& path, std::optional<SourceFormat> format = std::nullopt);

}  // namespace srlm::data
