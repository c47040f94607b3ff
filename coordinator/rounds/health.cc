#include "coordinator/rounds/health.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/config/health_rule.h"
#include "coordinator/ledger/round_health.h"

namespace srlm::rounds {
namespace {

constexpr char kEvent[] = "health";

std::string Describe(int round, const config::HealthRule& rule, double value) {
  return fmt::format("round {}: {} is {:.4g}, and health.rules has '{}'", round, rule.figure, value, rule.text);
}

}  // namespace

Result<std::string> BestModel(const Context& context, const std::string& otherwise) {
  std::string best;
  double highest = 0;
  for (int number = 1; number <= context.models.Newest(); ++number) {
    SRLM_ASSIGN_OR_RETURN(const auto figures, ledger::RoundHealth(context.ledger, number - 1));
    const auto accuracy = figures.find("judge_accuracy");
    if (accuracy == figures.end() || (!best.empty() && accuracy->second <= highest)) continue;
    best = fmt::format("M{}", number);
    highest = accuracy->second;
  }
  if (best.empty())
    return fmt::format("{} (models/{}): it was made before; no judging was measured", otherwise, otherwise);
  return fmt::format("{} (models/{}): pairwise accuracy {:.3f} on the human-ranked answers", best, best, highest);
}

Status Health::Warn(int round, const std::string& message) const {
  SRLM_ASSIGN_OR_RETURN(const bool told, context_.ledger.HasEvent(round, kEvent, message));
  return told ? OkStatus() : context_.Event("warning", round, kEvent, message);
}

Result<HealthFinding> Health::Look(int round, bool made) {
  HealthFinding finding;
  if (fine_[{round, made}]) return finding;
  SRLM_ASSIGN_OR_RETURN(const auto figures, ledger::RoundHealth(context_.ledger, round));
  for (const std::string& text : context_.config.health.rules) {
    SRLM_ASSIGN_OR_RETURN(const config::HealthRule rule, config::ParseHealthRule(text));
    // Expected scores of 2.6 to 3.4 are all a 3 in the histogram, and yet order the answers.
    if (rule.figure == "commonest_score_rate" && context_.config.judge.verdict == config::JudgeVerdict::kExpected)
      continue;
    const auto figure = figures.find(rule.figure);
    if (figure == figures.end() || !rule.Broken(figure->second)) continue;
    const std::string message = Describe(round, rule, figure->second);
    SRLM_RETURN_IF_ERROR(Warn(round, message));
    if (rule.action == config::HealthAction::kWarn || finding.action != HealthFinding::Action::kNone) continue;
    const std::string change = "change health.rules (--set 'health.rules=[...]')";
    if (rule.action == config::HealthAction::kPause) {
      finding.action = HealthFinding::Action::kPause;
      finding.message =
          fmt::format("{}. `srlm inspect RUN rounds` shows the figures; to go on as it is, {}", message, change);
      continue;
    }
    finding.action = HealthFinding::Action::kStop;
    const std::string before = fmt::format("M{}", std::max(1, made ? round : round - 1));
    SRLM_ASSIGN_OR_RETURN(const std::string best, BestModel(context_, before));
    finding.message =
        fmt::format("{}. The run ends; its best model is {}. To go on all the same, {}", message, best, change);
  }
  fine_[{round, made}] = finding.action == HealthFinding::Action::kNone;
  return finding;
}

}  // namespace srlm::rounds
