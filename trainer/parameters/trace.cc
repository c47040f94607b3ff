#include "trainer/parameters/trace.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

#include "common/base/file.h"

namespace srlm::trainer {
namespace {

double Microseconds(Clock::duration duration) { return std::chrono::duration<double, std::micro>(duration).count(); }

nlohmann::ordered_json RowName(int rank, int row, const char* name) {
  return {{"name", "thread_name"}, {"ph", "M"}, {"pid", rank}, {"tid", row}, {"args", {{"name", name}}}};
}

}  // namespace

Status Trace::Write(const std::string& path) const {
  constexpr std::array<const char*, 3> kRows = {"computing", "waiting", "between ranks"};
  nlohmann::ordered_json events = nlohmann::ordered_json::array();
  for (size_t row = 0; row < kRows.size(); ++row) events.push_back(RowName(rank_, static_cast<int>(row), kRows[row]));
  for (const Event& event : events_) {
    nlohmann::ordered_json json = {{"name", event.name},
                                   {"ph", "X"},
                                   {"pid", rank_},
                                   {"tid", static_cast<int>(event.row)},
                                   {"ts", Microseconds(event.begin.time_since_epoch())},
                                   {"dur", Microseconds(event.end - event.begin)}};
    if (event.bytes >= 0) json["args"] = {{"bytes", event.bytes}};
    events.push_back(std::move(json));
  }
  return WriteFileAtomic(path, nlohmann::ordered_json{{"traceEvents", std::move(events)}}.dump() + "\n");
}

}  // namespace srlm::trainer
