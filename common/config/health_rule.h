// Limits of a run's health as they are written: "tie_rate > 0.8: warn".
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace srlm::config {

struct RunConfig;

/// What follows when a figure is beyond its limit.
enum class HealthAction { kWarn, kPause, kStop };

struct HealthRule {
  std::string text;    // as written
  std::string figure;  // one of HealthFigures()
  bool above = false;  // the limit is the most (`>`), else the least (`<`)
  double limit = 0;
  HealthAction action = HealthAction::kWarn;

  bool Broken(double value) const { return above ? value > limit : value < limit; }
};

/// The figures of a round's health; docs/method.md says what each is.
std::span<const std::string_view> HealthFigures();

/// InvalidArgument says what is wrong with `text`, and names the nearest figure.
Result<HealthRule> ParseHealthRule(const std::string& text);

/// Why a run of this configuration never measures a figure, or no rule looks at it, and what to set:
/// "health.kl_prompts is 0: raise it". Empty: it does.
std::string WhyNotMeasured(const RunConfig& config, std::string_view figure);

}  // namespace srlm::config
