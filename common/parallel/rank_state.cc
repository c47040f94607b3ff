#include "common/parallel/rank_state.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

#include "common/base/clock.h"

namespace srlm::parallel {
namespace {

constexpr size_t kLongestName = 100;
constexpr double kLongestSeconds = 1e9;

double Seconds(const nlohmann::json& value) {
  const double seconds = value.get<double>();
  return std::isfinite(seconds) ? std::clamp(seconds, 0.0, kLongestSeconds) : 0;
}

RankState StateOf(const nlohmann::json& row) {
  RankState state;
  state.rank = row.at("rank").get<int>();
  state.host = row.at("host").get<std::string>().substr(0, kLongestName);
  state.pid = row.at("pid").get<int64_t>();
  state.doing = static_cast<Doing>(row.at("doing").get<int>());
  state.what = row.at("what").get<std::string>().substr(0, kLongestName);
  state.phase = row.at("phase").get<std::string>().substr(0, kLongestName);
  state.operations = row.at("operations").get<int64_t>();
  state.noticed = row.at("noticed").get<bool>();
  state.stood_still_s = Seconds(row.at("stood_still_s"));
  state.for_s = Seconds(row.at("for_s"));
  state.age_s = Seconds(row.at("age_s"));
  return state;
}

}  // namespace

std::string NameOf(const RankState& state) {
  return fmt::format("rank {} ({}, process {})", state.rank, state.host, state.pid);
}

std::string Describe(const RankState& state) {
  std::string text;
  switch (state.doing) {
    case Doing::kWaiting: text = "waiting in " + state.what; break;
    case Doing::kAlone: text = "busy alone with " + state.what; break;
    case Doing::kComputing: text = state.what.empty() ? "computing" : "computing after the begin of " + state.what;
  }
  if (!state.phase.empty()) text += fmt::format(" ({})", state.phase);
  const std::time_t since = (WallClockMs() - static_cast<int64_t>(state.for_s * 1000)) / 1000;
  return text + fmt::format(" since {:%H:%M:%S} UTC, {:.1f} s", fmt::gmtime(since), state.for_s);
}

std::string Encode(const std::vector<RankState>& states, bool asks_for_all) {
  nlohmann::json rows = nlohmann::json::array();
  for (const RankState& state : states) {
    rows.push_back({{"rank", state.rank},
                    {"host", state.host.substr(0, kLongestName)},
                    {"pid", state.pid},
                    {"doing", static_cast<int>(state.doing)},
                    {"what", state.what.substr(0, kLongestName)},
                    {"phase", state.phase.substr(0, kLongestName)},
                    {"operations", state.operations},
                    {"noticed", state.noticed},
                    {"stood_still_s", state.stood_still_s},
                    {"for_s", state.for_s},
                    {"age_s", state.age_s}});
  }
  // A name that was cut inside a character is no reason to fail.
  return nlohmann::json({{"all", asks_for_all}, {"ranks", rows}})
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<Decoded> Decode(std::string_view text, int size) {
  const nlohmann::json message = nlohmann::json::parse(text, nullptr, false);
  if (message.is_discarded()) return InvalidArgument("no message of a rank");
  Decoded decoded;
  try {
    decoded.asks_for_all = message.at("all").get<bool>();
    for (const nlohmann::json& row : message.at("ranks")) decoded.states.push_back(StateOf(row));
  } catch (const nlohmann::json::exception& error) {
    return InvalidArgument(fmt::format("no message of a rank: {}", error.what()));
  }
  for (const RankState& state : decoded.states) {
    const int doing = static_cast<int>(state.doing);
    if (state.rank < 0 || state.rank >= size || doing < 0 || doing > static_cast<int>(Doing::kAlone)) {
      return InvalidArgument(fmt::format("a message about rank {} of {}", state.rank, size));
    }
  }
  return decoded;
}

}  // namespace srlm::parallel
