// What the file commands have in common: the checks before, the engine, the summary after.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/data/prompt_input.h"
#include "common/text/chat.h"
#include "worker/commands/options.h"
#include "worker/engine/engine.h"

namespace srlm::worker {

/// cores / ranks on this host, at least 1: the threads of a rank that was not told a number.
int DefaultThreads();

class FileSession {
 public:
  /// Lets this process end with options.ends_with. Checks that the outputs can be written and that the model folder has
  /// a configuration, weights of the right shapes and a tokenizer. Takes no memory for weights.
  static Result<std::unique_ptr<FileSession>> Open(const FileOptions& options, const ComputeOptions& compute,
                                                   GroupLeader* group);

  const text::Chat& chat() const { return *chat_; }
  /// Token ids of a prompt: through the chat template, or the text alone when it is raw.
  Result<std::vector<int>> PromptTokens(const data::PromptInput& input) const;

  /// Loads the weights and runs the requests, whose ids must be 0, 1, 2, ... Returns the responses by id.
  Result<std::vector<Response>> Run(std::vector<Request> requests);

  /// Seconds that Run took, without loading.
  double seconds() const { return seconds_; }

  /// Writes the rows to --out, and to --summary the measurements with `more` beside them.
  Status Finish(const std::vector<nlohmann::ordered_json>& rows, const nlohmann::ordered_json& more) const;

 private:
  FileSession(const FileOptions& options, const ComputeOptions& compute, GroupLeader* group)
      : options_(options), compute_(compute), group_(group) {}
  nlohmann::ordered_json Summary(const nlohmann::ordered_json& more) const;

  const FileOptions options_;
  const ComputeOptions compute_;
  GroupLeader* const group_;
  std::unique_ptr<text::Chat> chat_;
  EngineStats stats_;
  double load_seconds_ = 0;
  double seconds_ = 0;  // without loading
  int64_t failed_ = 0;
};

}  // namespace srlm::worker
