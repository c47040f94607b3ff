#include "coordinator/rounds/parse_rate.h"

#include <fmt/format.h>

#include <cmath>

#include <nlohmann/json.hpp>

#include "coordinator/rounds/judge_program.h"

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

std::string GoOn(double rate) {
  return fmt::format("or go on as it is with --set judge.min_parse_rate={:.2f}", std::floor(100 * rate) / 100);
}

}  // namespace

std::string ParseRateProblem(const Context& context, const ParseRate& parsed) {
  const double least = context.config.judge.min_parse_rate;
  if (parsed.votes == 0 || parsed.rate >= least) return "";
  return fmt::format(
             "{}: only {:.0f} % of {} sampled votes could be read, and judge.min_parse_rate asks for {:.0f} %. The "
             "model does not know how to judge: train it on more judged answers (data.eft) or longer (sft.*) in a new "
             "run, {}, {}",
             parsed.what, 100 * parsed.rate, parsed.votes, 100 * least, parsed.remedy, GoOn(parsed.rate)) +
         ShownUnread(parsed);
}

std::string MetaRateProblem(const Context& context, const ParseRate& parsed) {
  const double least = context.config.judge.min_parse_rate;
  if (parsed.votes == 0 || parsed.rate >= least) return "";
  return fmt::format(
             "{}: only {:.0f} % of {} comparisons of judgements ended with [[A]], [[B]] or [[C]], and "
             "judge.min_parse_rate asks for {:.0f} %. The model does not know how to compare: set meta_judge.verdict "
             "to expected or meta_judge.enabled to false in a new run, {}",
             parsed.what, 100 * parsed.rate, parsed.votes, 100 * least, GoOn(parsed.rate)) +
         ShownUnread(parsed);
}

std::string ProgramRateProblem(const Context& context, int round, double rate, int64_t votes) {
  const double least = context.config.judge.min_parse_rate;
  if (votes == 0 || rate >= least) return "";
  return fmt::format(
      "round {}: judge.program gave a score to only {:.0f} % of {} candidates, and judge.min_parse_rate asks for "
      "{:.0f} "
      "%: look at what it read and wrote in {}, {}",
      round, 100 * rate, votes, 100 * least, JudgementFolder(context.run_dir, round), GoOn(rate));
}

}  // namespace srlm::rounds
