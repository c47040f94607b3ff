// A round's figures against the limits of health.rules.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/config/health_rule.h"
#include "coordinator/rounds/context.h"

namespace srlm::rounds {

/// What a look at a round's health came to.
struct HealthFinding {
  enum class Action { kNone, kPause, kStop };
  Action action = Action::kNone;
  std::string message;  // which rule is broken, by how much, and what to do; of a stop also which model is best
  std::string go_on;    // the override with which the run goes on as it is: health.rules=[...]
};

/// Looks twice at each round: when it has its pairs, and when the model that it made was measured. Nothing is
/// remembered: the figures are the ledger's, and the rules may have been changed since.
class Health {
 public:
  explicit Health(const Context& context) : context_(context) {}

  /// `made`: the model that the round made is there; it may be to blame, and the one before is kept. Notes an event for
  /// each rule that is newly broken. The broken rule that asks for the most decides (stop, then pause), of these the
  /// first.
  Result<HealthFinding> Look(int round, bool made);

 private:
  struct BrokenRule {
    config::HealthRule rule;
    std::string message;
  };
  Result<std::vector<BrokenRule>> BrokenRules(int round) const;
  Status Warn(int round, const std::string& message) const;
  /// health.rules with `broken` as warnings, as an override.
  std::string WithWarnings(const std::vector<BrokenRule>& broken) const;

  const Context& context_;
  std::map<std::pair<int, bool>, bool> fine_;  // rounds that were looked at, and nothing was to be done
};

/// The model to keep when a run ends early: that with the highest pairwise accuracy on the human-ranked answers;
/// without these, `otherwise`.
Result<std::string> BestModel(const Context& context, const std::string& otherwise);

}  // namespace srlm::rounds
