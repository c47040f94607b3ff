#include "coordinator/cli/table.h"

#include <algorithm>

#include "coordinator/cli/text.h"

namespace srlm::cli {
namespace {
constexpr size_t kGap = 2;
constexpr size_t kLeastTextWidth = 20;
}  // namespace

void Table::AddRow(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (std::string& cell : cells) cell = OneLine(cell);
  rows_.push_back(std::move(cells));
}

std::vector<size_t> Table::Widths(size_t width) const {
  std::vector<size_t> widths;
  size_t others = 0;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t most = DisplayWidth(columns_[i].title);
    for (const auto& row : rows_) most = std::max(most, DisplayWidth(row[i]));
    widths.push_back(most);
    if (!columns_[i].grows) others += most;
  }
  others += kGap * (columns_.size() - 1);
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (!columns_[i].grows) continue;
    const size_t room = width > others ? width - others : 0;
    widths[i] = std::min(widths[i], std::max(room, kLeastTextWidth));
  }
  return widths;
}

std::string Table::Render(size_t width) const {
  const std::vector<size_t> widths = Widths(width);
  const auto line = [&](auto&& cell_of) {
    std::string text;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) text += std::string(kGap, ' ');
      text += Pad(Shorten(cell_of(i), widths[i]), widths[i], columns_[i].right);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
  };
  std::string text = line([&](size_t i) -> const std::string& { return columns_[i].title; });
  for (const auto& row : rows_) text += line([&](size_t i) -> const std::string& { return row[i]; });
  return text;
}

}  // namespace srlm::cli
