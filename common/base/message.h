// One turn of a conversation, as every part of srlm passes it on.
#pragma once

#include <string>

namespace srlm {

/// A turn in the field's form: `role` is "system", "user", "assistant" or what a chat template knows.
struct Message {
  std::string role;
  std::string content;

  bool operator==(const Message&) const = default;
};

}  // namespace srlm
