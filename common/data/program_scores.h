// The scores that a program gives to a round's candidates: JSON Lines of {"id", "score"}, each id exactly once.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/status.h"
#include "common/data/prompt_input.h"

namespace srlm::data {

/// The row that the program reads about a candidate: id, prompt (the text of a single user message or of raw input; a
/// list of messages when there are several) and response, in this order.
nlohmann::ordered_json CandidateForProgram(const std::string& id, const PromptInput& prompt,
                                           const std::string& response);

class ProgramScores {
 public:
  /// Expects a score of `id`; each id once.
  void Expect(const std::string& id);

  /// Takes a row of the program: a score from 0 to 5, or null: no score. InvalidArgument for an id that is not expected
  /// or was there before, and for any other score. Other fields are left alone.
  Status Take(const nlohmann::json& row);

  /// InvalidArgument when an expected id had no row.
  Status CheckComplete() const;

  size_t size() const { return scores_.size(); }
  /// The score of the `index`-th expected id.
  std::optional<double> score(size_t index) const { return scores_[index]; }
  /// How many have one.
  size_t scored() const;

 private:
  struct Place {
    size_t index = 0;
    bool taken = false;
  };
  std::unordered_map<std::string, Place> places_;
  std::vector<std::optional<double>> scores_;
  size_t taken_ = 0;
};

}  // namespace srlm::data
