// Broken invariants: printed with their place and values, then abort. Never for bad input (see status.h).
#pragma once

#include <string_view>

namespace srlm {
/// Prints `file:line: condition: message` to stderr and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, std::string_view message);
}  // namespace srlm

#define SRLM_CHECK(condition, message)                                                \
  do {                                                                                \
    if (!(condition)) ::srlm::CheckFailed(__FILE__, __LINE__, #condition, (message)); \
  } while (false)
