// The rows of the input files and their loaders. Every loader checks the whole file and stops at the first bad
// row with `file:line: what is wrong and what is wanted`; a file without rows is an error. Unknown fields are
// ignored: these files come from other tools.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/data/judge_template.h"
#include "common/data/prompt_input.h"

namespace srlm::data {

/// {"prompt_id", "prompt"} or {"prompt_id", "messages"}, with optional "raw": true (then "prompt" is a text).
/// Ids are texts or integers, unique in the file.
struct Prompt {
  std::string prompt_id;
  PromptInput input;
};

/// {"messages"}: the target is the last message, which must be the assistant's; the rest is the prompt.
/// {"prompt", "completion"}: texts, or message lists as TRL writes them (completion: one assistant message).
/// {"prompt", "response", "justification", "score"}: an EFT row (see EftRow), made SFT by the judge template.
/// Token ids, when both are there, are what is trained on; the texts are then a view.
struct SftRow {
  PromptInput prompt;
  std::string completion;
  std::vector<int> prompt_token_ids;      // empty or the rendered prompt
  std::vector<int> completion_token_ids;  // empty or the target, its end-of-turn token included if it has one
  int64_t line = 0;                       // in its file, from 1; 0: from no file
};

/// An answer that people (or a stronger model) judged, to teach judging.
struct EftRow {
  std::string prompt;
  std::string response;
  std::string justification;
  int score = 0;  // 0 to 5
};

/// TRL's preference row {"prompt", "chosen", "rejected"}, texts or message lists (an answer: one assistant
/// message). Optional: token ids of all three, the reference's summed log-probabilities of both answers, and how
/// probable it is that chosen is the better one (1 when absent).
struct PreferenceRow {
  std::string prompt_id;  // may be empty
  PromptInput prompt;
  std::string chosen;
  std::string rejected;
  std::vector<int> prompt_token_ids;
  std::vector<int> chosen_token_ids;
  std::vector<int> rejected_token_ids;
  std::optional<double> reference_chosen_logp;
  std::optional<double> reference_rejected_logp;
  std::optional<double> chosen_probability;  // 0 to 1
  int64_t line = 0;                          // as SftRow's
};

/// {"prompt", "response"}, with optional "id", "raw" and token ids: what is judged, or given log-probabilities.
struct JudgeItem {
  std::string id;  // the row's "id", unique in the file; without one its line number
  PromptInput prompt;
  std::string response;
  std::vector<int> prompt_token_ids;
  std::vector<int> response_token_ids;
};

/// {"prompt", "response_a", "response_b"}, with optional "id" and "raw": two answers that a judge compares.
struct PairItem {
  std::string id;  // as JudgeItem's
  PromptInput prompt;
  std::string response_a;
  std::string response_b;
};

/// {"prompt_id", "prompt_text", "response_id", "response_text", "quality_score"}; "prompt", "response" and "score"
/// are accepted for the last names, and "response_id" may be missing. Higher quality is better within a prompt.
struct RankedAnswer {
  std::string prompt_id;
  std::string prompt;
  std::string response_id;
  std::string response;
  double quality = 0;
  int64_t line = 0;  // of the file, from 1
};

Result<std::vector<Prompt>> LoadPrompts(const std::string& path);
/// All three forms of SFT rows; EFT rows go through `judge_template`.
Result<std::vector<SftRow>> LoadSft(const std::string& path, const JudgeTemplate& judge_template);
Result<std::vector<EftRow>> LoadEft(const std::string& path);
Result<std::vector<PreferenceRow>> LoadPreferences(const std::string& path);
Result<std::vector<JudgeItem>> LoadJudgeItems(const std::string& path);
Result<std::vector<PairItem>> LoadPairItems(const std::string& path);
/// People's answers to prompts: JudgeItem rows, or SFT rows in their first two forms (then the id is the line number).
Result<std::vector<JudgeItem>> LoadHumanAnswers(const std::string& path);
/// Fails as well when a prompt_id comes with two different prompts, or an answer's id twice.
Result<std::vector<RankedAnswer>> LoadRankedAnswers(const std::string& path);

/// Judging as a lesson: the filled template asks, `justification` (if there is one) and a last line `Score: n` answer.
SftRow ToSftRow(const EftRow& row, const JudgeTemplate& judge_template);

/// Rows as the loaders read them back: TRL's conversational form, token ids and log-probabilities beside it.
nlohmann::json ToJson(const Prompt& row);
nlohmann::json ToJson(const SftRow& row);
nlohmann::json ToJson(const PreferenceRow& row);
nlohmann::json ToJson(const PromptInput& input);

}  // namespace srlm::data
