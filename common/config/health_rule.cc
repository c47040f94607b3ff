#include "common/config/health_rule.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "common/config/config.h"
#include "common/config/reader.h"

namespace srlm::config {
namespace {

constexpr auto kFigures = std::to_array<std::string_view>({"parse_rate",
                                                           "unscored_rate",
                                                           "mean_score",
                                                           "commonest_score_rate",
                                                           "score_0",
                                                           "score_1",
                                                           "score_2",
                                                           "score_3",
                                                           "score_4",
                                                           "score_5",
                                                           "tie_rate",
                                                           "vote_variance",
                                                           "length_correlation",
                                                           "length_drift",
                                                           "duplicate_rate",
                                                           "judge_accuracy",
                                                           "judge_accuracy_change",
                                                           "order_flip_rate",
                                                           "kl_from_m0",
                                                           "chosen_logp_change",
                                                           "rejected_logp_change",
                                                           "meta_parse_rate",
                                                           "meta_flip_rate",
                                                           "meta_first_rate"});

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

Status Unknown(const std::string& text, std::string_view figure) {
  const std::string nearest = Nearest(figure, {kFigures.begin(), kFigures.end()});
  return InvalidArgument(fmt::format("'{}': there is no figure '{}'{}; there are {}", text, figure,
                                     nearest.empty() ? "" : "; did you mean '" + nearest + "'?",
                                     fmt::join(kFigures, ", ")));
}

std::string WhyNoVotes(const JudgeConfig& judge) {
  const bool votes = judge.verdict == JudgeVerdict::kSampled || judge.verdict == JudgeVerdict::kDigit;
  if (!votes)
    return fmt::format("judge.verdict: {} gives an answer one score: set it to sampled or digit",
                       NameOf(judge.verdict));
  return judge.votes < 2 ? "judge.votes is 1: raise it" : "";
}

std::string WhyNoDpo(const RunConfig& config) {
  if (config.pairs.rule == PairRule::kPositive)
    return "with `pairs.rule: positive` no round trains on pairs: set another rule";
  return config.dpo.epochs == 0 ? "dpo.epochs is 0: raise it" : "";
}

}  // namespace

std::span<const std::string_view> HealthFigures() { return kFigures; }

Result<HealthRule> ParseHealthRule(const std::string& text) {
  const std::string_view all = text;
  const size_t sign = all.find_first_of("<>"), colon = all.rfind(':');
  if (sign == std::string_view::npos || colon == std::string_view::npos || colon < sign)
    return InvalidArgument(
        fmt::format("'{}' is no rule; write a figure, `<` or `>`, a number, `:` and `warn`, `pause` or `stop`, as in "
                    "'tie_rate > 0.8: warn'",
                    text));
  HealthRule rule;
  rule.text = text;
  rule.figure = Trimmed(all.substr(0, sign));
  rule.above = all[sign] == '>';
  if (std::ranges::find(kFigures, rule.figure) == kFigures.end()) return Unknown(text, rule.figure);
  const std::string_view number = Trimmed(all.substr(sign + 1, colon - sign - 1));
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), rule.limit);
  if (error != std::errc() || end != number.data() + number.size() || !std::isfinite(rule.limit))
    return InvalidArgument(fmt::format("'{}': '{}' is not a number", text, number));
  const std::string_view action = Trimmed(all.substr(colon + 1));
  if (action != "warn" && action != "pause" && action != "stop")
    return InvalidArgument(fmt::format("'{}': '{}' is none of warn, pause and stop", text, action));
  rule.action = action == "warn" ? HealthAction::kWarn : action == "pause" ? HealthAction::kPause : HealthAction::kStop;
  return rule;
}

std::string WhyNotMeasured(const RunConfig& config, std::string_view figure) {
  if (figure == "kl_from_m0") return config.health.kl_prompts == 0 ? "health.kl_prompts is 0: raise it" : "";
  if (figure == "order_flip_rate")
    return config.data.evaluation_prompts.empty() ? "data.evaluation_prompts is empty: name a file" : "";
  if (figure.starts_with("judge_accuracy"))
    return config.data.evaluation.empty() ? "data.evaluation is empty: name a file" : "";
  if (figure.starts_with("meta_"))
    return config.meta_judge.enabled ? "" : "meta_judge.enabled is false: set it to true";
  if (figure == "vote_variance") return WhyNoVotes(config.judge);
  if (figure.ends_with("_logp_change")) return WhyNoDpo(config);
  // Expected scores of 2.6 to 3.4 are all a 3 in the histogram, and yet order the answers.
  if (figure == "commonest_score_rate" && config.judge.verdict == JudgeVerdict::kExpected)
    return "judge.verdict: expected gives fractions, which seldom are equal: write a rule on tie_rate";
  return "";
}

}  // namespace srlm::config
