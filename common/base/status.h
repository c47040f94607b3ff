// Expected failures as values: what happened, where, and what to do about it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "common/base/check.h"

namespace srlm {

/// Why an operation failed; the names are gRPC's, so that they cross the wire unchanged.
enum class Code {
  kOk = 0,
  kCancelled = 1,
  kInternal = 13,
  kInvalidArgument = 3,   // the caller's input is wrong; the message says which part and how to mend it
  kDeadlineExceeded = 4,  // a wait ended without its event
  kNotFound = 5,
  kAlreadyExists = 6,
  kResourceExhausted = 8,   // no room: on a disk (base/file.h), in memory, or within a limit
  kFailedPrecondition = 9,  // right input, wrong state
  kAborted = 10,            // lost ownership or a peer that gave up
  kUnavailable = 14,        // nobody answers; trying again may help
  kDataLoss = 15,           // a file is torn or does not match its checksum
};

/// Name of a code in snake case, as logs and JSON show it.
std::string_view CodeName(Code code);

/// Success, or a code and a message for a person.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  /// The same failure with `context` and ": " before its message.
  Status WithContext(std::string_view context) const;

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

inline Status OkStatus() { return {}; }
inline Status InvalidArgument(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }
inline Status NotFound(std::string message) { return {Code::kNotFound, std::move(message)}; }
inline Status FailedPrecondition(std::string message) { return {Code::kFailedPrecondition, std::move(message)}; }
inline Status ResourceExhausted(std::string message) { return {Code::kResourceExhausted, std::move(message)}; }
inline Status DeadlineExceeded(std::string message) { return {Code::kDeadlineExceeded, std::move(message)}; }
inline Status Unavailable(std::string message) { return {Code::kUnavailable, std::move(message)}; }
inline Status Aborted(std::string message) { return {Code::kAborted, std::move(message)}; }
inline Status DataLoss(std::string message) { return {Code::kDataLoss, std::move(message)}; }
inline Status InternalError(std::string message) { return {Code::kInternal, std::move(message)}; }

/// A value, or the status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}        // NOLINT(google-explicit-constructor)
  Result(Status status) : state_(std::in_place_index<1>, std::move(status)) {  // NOLINT(google-explicit-constructor)
    SRLM_CHECK(!std::get<1>(state_).ok(), "a Result without a value needs a failure");
  }

  bool ok() const { return state_.index() == 0; }
  Status status() const { return ok() ? OkStatus() : std::get<1>(state_); }
  T& value() & {
    SRLM_CHECK(ok(), status().message());
    return std::get<0>(state_);
  }
  const T& value() const& {
    SRLM_CHECK(ok(), status().message());
    return std::get<0>(state_);
  }
  T&& value() && {
    SRLM_CHECK(ok(), status().message());
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace srlm

#define SRLM_CONCAT_INNER(a, b) a##b
#define SRLM_CONCAT(a, b) SRLM_CONCAT_INNER(a, b)

/// Returns the status from the enclosing function unless it is ok.
#define SRLM_RETURN_IF_ERROR(expression)                                                     \
  do {                                                                                       \
    if (::srlm::Status srlm_status_ = (expression); !srlm_status_.ok()) return srlm_status_; \
  } while (false)

/// `SRLM_ASSIGN_OR_RETURN(auto x, F());` : x is F's value, or the enclosing function returns F's status.
#define SRLM_ASSIGN_OR_RETURN(declaration, expression) \
  SRLM_ASSIGN_OR_RETURN_IMPL(SRLM_CONCAT(srlm_result_, __LINE__), declaration, expression)
#define SRLM_ASSIGN_OR_RETURN_IMPL(result, declaration, expression) \
  auto result = (expression);                                       \
  if (!result.ok()) return result.status();                         \
  declaration = std::move(result).value()
