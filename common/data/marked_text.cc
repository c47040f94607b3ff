#include "common/data/marked_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/base/file.h"

namespace srlm::data {

Result<MarkedText> MarkedText::Parse(std::string text, std::vector<std::string> marks, std::string_view kind,
                                     std::string_view origin) {
  std::vector<Place> places;
  for (size_t i = 0; i < marks.size(); ++i) {
    const std::string& mark = marks[i];
    const size_t at = text.find(mark);
    if (at == std::string::npos)
      return InvalidArgument(
          fmt::format("{}: {} is missing; {} needs {} once each", origin, mark, kind, fmt::join(marks, ", ")));
    if (text.find(mark, at + 1) != std::string::npos)
      return InvalidArgument(fmt::format("{}: {} stands more than once; keep one", origin, mark));
    places.push_back({at, mark.size(), i});
  }
  std::ranges::sort(places, {}, &Place::at);
  return MarkedText(std::move(text), std::move(places));
}

Result<MarkedText> MarkedText::Load(const std::string& path, std::vector<std::string> marks, std::string_view kind) {
  constexpr size_t kMaxBytes = 1 << 20;
  SRLM_ASSIGN_OR_RETURN(std::string text, ReadFile(path));
  if (text.size() > kMaxBytes)
    return InvalidArgument(fmt::format("{}: larger than {} bytes, not {}", path, kMaxBytes, kind));
  // Editors end files with a line break; the template does not mean it.
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return Parse(std::move(text), std::move(marks), kind, path);
}

std::string MarkedText::Fill(std::span<const std::string_view> values) const {
  SRLM_CHECK(values.size() == places_.size(), "one value a mark");
  std::string filled;
  size_t done = 0;
  for (const Place& place : places_) {
    filled.append(text_, done, place.at - done);
    filled.append(values[place.value]);
    done = place.at + place.bytes;
  }
  filled.append(text_, done);
  return filled;
}

}  // namespace srlm::data
