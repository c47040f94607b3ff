// JSON Lines: one object a line, read and written a row at a time, so memory holds one row.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "common/base/status.h"

namespace srlm::data {

/// Longest line that a reader takes before it refuses the file.
inline constexpr size_t kMaxLineBytes = 16 << 20;

/// Reads the objects of a JSON Lines file in order. Empty lines are skipped but counted.
class JsonlReader {
 public:
  /// NotFound or InvalidArgument with the path when it cannot be read.
  static Result<JsonlReader> Open(const std::string& path, size_t max_line_bytes = kMaxLineBytes);

  /// Reads the next row; false at the end of the file. InvalidArgument `file:line: ...` when the line is not
  /// JSON, not an object, not UTF-8, or longer than the limit; `file: is compressed ...` when it is that.
  Result<bool> Next(nlohmann::json& row);

  /// The line of the last row, counted from 1.
  int64_t line() const { return line_; }
  /// `file:line` of the last row.
  std::string Where() const;
  /// A failure at the last row: `file:line: message`.
  Status Error(const std::string& message) const;

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  JsonlReader(std::FILE* file, std::string path, size_t max_line_bytes);
  Result<bool> ReadLine();
  Status OtherFormOr(const std::string& message) const;

  std::unique_ptr<std::FILE, Close> file_;
  std::string path_;
  size_t max_line_bytes_;
  int64_t line_ = 0;
  std::string text_;  // the last line, without its end
};

/// A row as JsonlWriter writes it, with its end of line.
std::string JsonLine(const nlohmann::json& row);

/// Writes rows. Bytes that are not UTF-8 become U+FFFD.
class JsonlWriter {
 public:
  /// Writes beside `path` and takes its name in Close: the file is whole or as it was before.
  static Result<JsonlWriter> Create(const std::string& path);
  /// Adds to `path` (made when missing), each row visible to readers as soon as Write returns: for logs.
  static Result<JsonlWriter> Append(const std::string& path);

  JsonlWriter(JsonlWriter&&) noexcept;
  JsonlWriter& operator=(JsonlWriter&&) noexcept;
  /// Without Close, what Create began is removed.
  ~JsonlWriter();

  /// ResourceExhausted or InvalidArgument with the path when the row cannot be written.
  Status Write(const nlohmann::json& row);
  /// The same, its keys in their own order and not by name. A template, so that a list in braces stays a json.
  template <std::same_as<nlohmann::ordered_json> Json>
  Status Write(const Json& row) {
    return WriteOrdered(row);
  }
  /// Syncs to disk what was written so far.
  Status Sync();
  /// Syncs to disk and, after Create, renames. Must be called; nothing may be written after it.
  Status Close();

 private:
  struct State;
  explicit JsonlWriter(std::unique_ptr<State> state);
  Status WriteOrdered(const nlohmann::ordered_json& row);
  Status WriteLine(const std::string& line);
  std::unique_ptr<State> state_;
};

/// A whole file of rows, as JsonlWriter::Create makes it.
Status WriteJsonl(const std::string& path, const std::vector<nlohmann::ordered_json>& rows);

}  // namespace srlm::data
