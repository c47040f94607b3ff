#include "coordinator/rounds/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

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

Result<std::vector<Health::BrokenRule>> Health::BrokenRules(int round) const {
  std::vector<BrokenRule> broken;
  SRLM_ASSIGN_OR_RETURN(const auto figures, ledger::RoundHealth(context_.ledger, round));
  for (const std::string& text : context_.config.health.rules) {
    SRLM_ASSIGN_OR_RETURN(const config::HealthRule rule, config::ParseHealthRule(text));
    if (!config::WhyNotMeasured(context_.config, rule.figure).empty()) continue;
    const auto figure = figures.find(rule.figure);
    if (figure == figures.end() || !rule.Broken(figure->second)) continue;
    broken.push_back({rule, Describe(round, rule, figure->second)});
  }
  return broken;
}

std::string Health::WithWarnings(const std::vector<BrokenRule>& broken) const {
  nlohmann::json rules = nlohmann::json::array();
  for (const std::string& text : context_.config.health.rules) {
    const bool is_broken = std::ranges::any_of(broken, [&](const BrokenRule& each) { return each.rule.text == text; });
    rules.push_back(is_broken ? text.substr(0, text.rfind(':')) + ": warn" : text);
  }
  return "health.rules=" + rules.dump();
}

Result<HealthFinding> Health::Look(int round, bool made) {
  HealthFinding finding;
  if (fine_[{round, made}]) return finding;
  SRLM_ASSIGN_OR_RETURN(const std::vector<BrokenRule> broken, BrokenRules(round));
  for (const BrokenRule& each : broken) SRLM_RETURN_IF_ERROR(Warn(round, each.message));
  const auto severest =
      std::ranges::max_element(broken, {}, [](const BrokenRule& each) { return static_cast<int>(each.rule.action); });
  if (severest == broken.end() || severest->rule.action == config::HealthAction::kWarn) {
    fine_[{round, made}] = true;
    return finding;
  }
  finding.go_on = WithWarnings(broken);
  const std::string change =
      fmt::format("change health.rules: --set '{}' leaves what is broken as warnings", finding.go_on);
  if (severest->rule.action == config::HealthAction::kPause) {
    finding.action = HealthFinding::Action::kPause;
    finding.message = fmt::format("{}. `srlm inspect RUN rounds` shows the figures; to go on as it is, {}",
                                  severest->message, change);
    return finding;
  }
  finding.action = HealthFinding::Action::kStop;
  const std::string before = fmt::format("M{}", std::max(1, made ? round : round - 1));
  SRLM_ASSIGN_OR_RETURN(const std::string best, BestModel(context_, before));
  finding.message =
      fmt::format("{}. The run ends; its best model is {}. To go on all the same, {}", severest->message, best, change);
  return finding;
}

}  // namespace srlm::rounds
