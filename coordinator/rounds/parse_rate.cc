#include "coordinator/rounds/parse_rate.h"

#include <fmt/format.h>

#include <cmath>

#include <nlohmann/json.hpp>

namespace srlm::rounds {
namespace {

constexpr size_t kBytesShown = 300;  // of each text

// On one line, in quotes, cut between characters.
std::string Shown(const std::string& text) {
  size_t end = std::min(text.size(), kBytesShown);
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  const nlohmann::json quoted = text.substr(0, end);
  return quoted.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + (end < text.size() ? " ..." : "");
}

std::string ShownUnread(const ParseRate& parsed) {
  std::string shown;
  if (!parsed.unread.empty()) shown += ". The first that could not be read:";
  for (size_t i = 0; i < parsed.unread.size(); ++i)
    shown += fmt::format("\n  vote {}: {}", i + 1, Shown(parsed.unread[i]));
  return shown;
}

}  // namespace

std::string ParseRateProblem(const Context& context, const ParseRate& parsed) {
  const double least = context.config.judge.min_parse_rate;
  if (parsed.votes == 0 || parsed.rate >= least) return "";
  return fmt::format(
             "{}: only {:.0f} % of {} {}, and judge.min_parse_rate asks for {:.0f} %. {}, or go on as it is with --set "
             "judge.min_parse_rate={:.2f}",
             parsed.what, 100 * parsed.rate, parsed.votes, parsed.counted, 100 * least, parsed.remedy,
             std::floor(100 * parsed.rate) / 100) +
         ShownUnread(parsed);
}

}  // namespace srlm::rounds
