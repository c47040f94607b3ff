// Collects a source's prompts and answers from its rows, in whatever order they come.
#pragma once

#include <string>
#include <unordered_map>

#include "common/data/row.h"
#include "common/data/source.h"

namespace srlm::data {

class SourceBuilder {
 public:
  explicit SourceBuilder(Source& source) : source_(source) {}

  /// Makes the prompt known; the same again changes nothing. False when it is blank, which is noted as a reject.
  /// `row` for messages: an id with another text is an error.
  Result<bool> AddPrompt(const Row& row, const std::string& prompt_id, const std::string& prompt,
                         const std::string& system = "");
  /// One more answer of a prompt that is known. Blank answers and repeated texts become rejects.
  void AddAnswer(const std::string& prompt_id, SourceAnswer answer);
  bool Knows(const std::string& prompt_id) const { return places_.contains(prompt_id); }
  void Leave(std::string reason, std::string prompt_id, std::string response_id, std::string detail = "");
  /// Prompts that no answer came for leave the source.
  void Finish();

 private:
  Source& source_;
  std::unordered_map<std::string, size_t> places_;  // in source_.prompts, by prompt_id
};

/// The row's "prompt_id", or a name by the hash of `prompt`, so that rows of one prompt come together. With another
/// system message it is another prompt.
Result<std::string> PromptIdOf(const Row& row, const std::string& prompt, const std::string& system = "");

/// Parsers of one format each. Rows come in the file's order.
class SourceParser {
 public:
  virtual ~SourceParser() = default;
  virtual Status Add(const Row& row) = 0;
  virtual Status Finish() { return OkStatus(); }
};

std::unique_ptr<SourceParser> MakeRankedParser(SourceBuilder& builder);
std::unique_ptr<SourceParser> MakeOasstMessagesParser(SourceBuilder& builder);
std::unique_ptr<SourceParser> MakeOasstTreesParser(SourceBuilder& builder);
std::unique_ptr<SourceParser> MakeUltraFeedbackParser(SourceBuilder& builder);
std::unique_ptr<SourceParser> MakeBinarizedParser(SourceBuilder& builder);
std::unique_ptr<SourceParser> MakeHelpSteerParser(SourceBuilder& builder);
std::unique_ptr<SourceParser> MakeHelpSteer3Parser(SourceBuilder& builder);

}  // namespace srlm::data
