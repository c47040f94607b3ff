// Aligned columns for people.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace srlm::cli {

struct Column {
  std::string title;
  bool right = false;  // numbers stand on the right
  bool grows = false;  // text that takes the room that is left, and is cut to it; at most one
};

/// Rows under titles. Cells are shown on one line, without control characters.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// One cell a column; missing ones stay empty.
  void AddRow(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  /// Title line, then the rows, two spaces between columns, at most `width` columns of the terminal wide where a
  /// column grows.
  std::string Render(size_t width) const;

 private:
  std::vector<size_t> Widths(size_t width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace srlm::cli
