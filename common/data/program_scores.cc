#include "common/data/program_scores.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

namespace srlm::data {

nlohmann::ordered_json CandidateForProgram(const std::string& id, const PromptInput& prompt,
                                           const std::string& response) {
  nlohmann::ordered_json row;
  row["id"] = id;
  if (prompt.raw || (prompt.messages.size() == 1 && prompt.messages[0].role == "user")) {
    row["prompt"] = PlainText(prompt);
  } else {
    row["prompt"] = nlohmann::ordered_json::array();
    for (const Message& message : prompt.messages)
      row["prompt"].push_back({{"role", message.role}, {"content", message.content}});
  }
  row["response"] = response;
  return row;
}

void ProgramScores::Expect(const std::string& id) {
  places_[id] = {.index = scores_.size(), .taken = false};
  scores_.emplace_back();
}

Status ProgramScores::Take(const nlohmann::json& row) {
  const auto id = row.find("id"), score = row.find("score");
  if (id == row.end() || !id->is_string()) return InvalidArgument("\"id\" is missing or no text");
  const auto& name = id->get_ref<const std::string&>();
  const auto place = places_.find(name);
  if (place == places_.end()) return InvalidArgument(fmt::format("id \"{}\" is none of those that it read", name));
  if (place->second.taken) return InvalidArgument(fmt::format("id \"{}\" has a score already", name));
  if (score == row.end())
    return InvalidArgument(fmt::format("id \"{}\": \"score\" is missing; null stands for no score", name));
  if (!score->is_null()) {
    const double value = score->is_number() ? score->get<double>() : -1;
    if (!(value >= 0 && value <= 5))
      return InvalidArgument(fmt::format("id \"{}\": score {} is no number from 0 to 5, nor null", name,
                                         score->dump(-1, ' ', true, nlohmann::json::error_handler_t::replace)));
    scores_[place->second.index] = value;
  }
  place->second.taken = true;
  ++taken_;
  return OkStatus();
}

Status ProgramScores::CheckComplete() const {
  if (taken_ == scores_.size()) return OkStatus();
  const std::string* first = nullptr;
  size_t least = scores_.size();
  for (const auto& [id, place] : places_) {
    if (place.taken || place.index >= least) continue;
    least = place.index;
    first = &id;
  }
  return InvalidArgument(
      fmt::format("{} of {} ids have no line, the first is \"{}\"", scores_.size() - taken_, scores_.size(), *first));
}

size_t ProgramScores::scored() const {
  return static_cast<size_t>(std::ranges::count_if(scores_, [](const auto& score) { return score.has_value(); }));
}

}  // namespace srlm::data
