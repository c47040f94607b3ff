// Who writes judgements and justifications: srlm-worker on files, or what a test says.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "common/base/status.h"

namespace srlm::prepare {

struct Question {
  std::string id;  // names the random draws of its texts
  std::string text;
};

struct Written {
  std::string text;
  bool cut = false;   // ended at the token limit
  std::string error;  // why there is no text: too long for the model, say
};

class Writer {
 public:
  virtual ~Writer() = default;
  /// `samples` texts for each question, in their order. Ids differ.
  virtual Result<std::vector<std::vector<Written>>> Write(std::span<const Question> questions, int samples) = 0;
};

}  // namespace srlm::prepare
