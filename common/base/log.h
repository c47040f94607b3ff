// One line an event, key=value. A front for glog that files which see torch may include: glog's macros and
// c10's have the same names.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace srlm {

/// One `key=value` of a log line; numbers are formatted plainly, text is quoted where it has spaces.
struct LogField {
  LogField(std::string_view key, std::string_view text);
  LogField(std::string_view key, const char* text) : LogField(key, std::string_view(text)) {}
  LogField(std::string_view key, const std::string& text) : LogField(key, std::string_view(text)) {}
  LogField(std::string_view key, double number);
  LogField(std::string_view key, int number) : LogField(key, static_cast<long long>(number)) {}
  LogField(std::string_view key, unsigned number) : LogField(key, static_cast<long long>(number)) {}
  LogField(std::string_view key, long number) : LogField(key, static_cast<long long>(number)) {}
  LogField(std::string_view key, unsigned long number) : LogField(key, static_cast<long long>(number)) {}
  LogField(std::string_view key, long long number);
  LogField(std::string_view key, bool flag) : LogField(key, std::string_view(flag ? "true" : "false")) {}
  std::string text;  // key=value
};

/// Starts logging to stderr, or to `file` when it is not empty (its folder must exist). Call once, in main.
/// `fields` (the run, the rank) stand in every line.
void StartLogging(std::string_view program, const std::string& file, std::initializer_list<LogField> fields);

/// Writes `event key=value ...`. Safe from any thread; before StartLogging it goes to stderr.
void LogInfo(std::string_view event, std::initializer_list<LogField> fields = {});
void LogWarning(std::string_view event, std::initializer_list<LogField> fields = {});
void LogError(std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace srlm
