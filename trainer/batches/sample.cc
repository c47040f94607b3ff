#include "trainer/batches/sample.h"

#include <algorithm>

namespace srlm::trainer {

int64_t Sample::packed_tokens() const {
  return static_cast<int64_t>(prompt.size()) + response_tokens() - static_cast<int64_t>(responses.size());
}

int64_t Sample::context_tokens() const {
  size_t longest = 0;
  for (const auto& response : responses) longest = std::max(longest, response.size());
  return static_cast<int64_t>(prompt.size() + longest);
}

int64_t Sample::response_tokens() const {
  size_t tokens = 0;
  for (const auto& response : responses) tokens += response.size();
  return static_cast<int64_t>(tokens);
}

}  // namespace srlm::trainer
