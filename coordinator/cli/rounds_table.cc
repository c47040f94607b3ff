#include "coordinator/cli/rounds_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "common/config/health_rule.h"
#include "coordinator/cli/table.h"
#include "coordinator/cli/text.h"

namespace srlm::cli {
namespace {

constexpr char kNone[] = "-";

std::string Decimal(bool there, double value, int digits) {
  return there ? fmt::format("{:.{}f}", value, digits) : kNone;
}

std::string Percent(bool there, double share) { return there ? fmt::format("{:.0f} %", 100 * share) : kNone; }

std::string Loss(const v1::RoundSummary& round) {
  if (!round.has_loss()) return kNone;
  if (!round.has_first_loss()) return fmt::format("{:.4f}", round.loss());
  return fmt::format("{:.4f} -> {:.4f}", round.first_loss(), round.loss());
}

/// `40 + 6`: of answers and of judgements.
std::string Pairs(const v1::RoundSummary& round) {
  if (round.round() == 0) return kNone;
  return Count(round.pairs()) + (round.judge_pairs() > 0 ? " + " + Count(round.judge_pairs()) : "");
}

void AddRound(Table& table, const v1::RoundSummary& round) {
  const bool loop = round.round() > 0;  // round 0 trains on the seed data: no prompts, no pairs
  const auto number = [&](uint64_t value) { return loop ? Count(value) : std::string(kNone); };
  std::string made = round.model();
  if (round.model_id().empty()) made += " (not yet)";
  if (round.has_selected_step()) made += fmt::format(" (step {})", round.selected_step());
  table.AddRow(
      {loop ? std::to_string(round.round()) : "SFT", made, number(round.prompts()), number(round.new_prompts()),
       number(round.candidates()), number(round.votes()), Percent(loop && round.has_parse_rate(), round.parse_rate()),
       Decimal(round.has_mean_score(), round.mean_score(), 2), Decimal(round.has_mean_length(), round.mean_length(), 1),
       Pairs(round), number(round.ties()), Loss(round), Decimal(round.has_margin(), round.margin(), 3),
       Percent(round.has_accuracy(), round.accuracy())});
}

/// `0.74 [0.65, 0.82] n 90`
std::string Describe(const v1::Estimate& figure) {
  if (figure.n() == 0) return kNone;
  return fmt::format("{:.2f} [{:.2f}, {:.2f}] n {}", figure.value(), figure.low(), figure.high(), figure.n());
}

/// Figures are rows and models are columns: there are more figures than models.
Table JudgeTable(const google::protobuf::RepeatedPtrField<v1::RoundSummary>& rounds) {
  using Figure = const v1::Estimate& (v1::JudgeEvaluation::*)() const;
  constexpr std::pair<const char*, Figure> kFigures[] = {
      {"pairwise accuracy", &v1::JudgeEvaluation::pairwise_accuracy},
      {"pairwise accuracy, matched length", &v1::JudgeEvaluation::pairwise_accuracy_length_matched},
      {"pairwise accuracy of \"longer wins\"", &v1::JudgeEvaluation::longer_wins},
      {"exact match", &v1::JudgeEvaluation::exact_match},
      {"5-best", &v1::JudgeEvaluation::five_best},
      {"Spearman", &v1::JudgeEvaluation::spearman},
      {"Kendall", &v1::JudgeEvaluation::kendall},
      {"parse rate of sampled votes", &v1::JudgeEvaluation::parse_rate},
  };
  std::vector<Column> columns = {{"judge, on human-ranked answers"}};
  std::vector<std::vector<std::string>> cells;
  for (const auto& [title, figure] : kFigures) cells.push_back({title});
  std::vector<std::string> correlation = {"correlation of score and length"};
  for (const v1::RoundSummary& round : rounds) {
    if (!round.has_judge()) continue;
    columns.push_back({round.model()});
    for (size_t i = 0; i < std::size(kFigures); ++i) {
      cells[i].push_back(Describe((round.judge().*kFigures[i].second)()));
    }
    correlation.push_back(fmt::format("{:.2f}", round.judge().score_length_correlation()));
  }
  Table table(columns);
  if (columns.size() == 1) return table;
  for (auto& row : cells) table.AddRow(std::move(row));
  table.AddRow(std::move(correlation));
  return table;
}

/// The models' own answers: figures are rows and models are columns.
Table FiguresTable(const google::protobuf::RepeatedPtrField<v1::RoundSummary>& rounds) {
  constexpr std::pair<const char*, const char*> kFigures[] = {
      {"win rate, a tie is one half", "win_rate"},
      {"win rate, length-controlled", "win_rate_length_controlled"},
      {"wins", "win"},
      {"ties, or the orders disagree", "tie"},
      {"losses", "lose"},
      {"order flips", "flipped"},
      {"log-probability a token of held-out answers", "held_out_logprob_per_token"},
      {"characters of an answer", "characters"},
  };
  std::vector<Column> columns = {{"answers, against the model before"}};
  for (const v1::RoundSummary& round : rounds)
    if (!round.figures().empty()) columns.push_back({round.model()});
  Table table(columns);
  for (const auto& [title, key] : kFigures) {
    std::vector<std::string> row = {title};
    bool any = false;
    for (const v1::RoundSummary& round : rounds) {
      if (round.figures().empty()) continue;
      const auto found = round.figures().find(key);
      any |= found != round.figures().end();
      row.push_back(found == round.figures().end() ? kNone : Describe(found->second));
    }
    if (any) table.AddRow(std::move(row));
  }
  return table;
}

}  // namespace

std::string DescribeRounds(const google::protobuf::RepeatedPtrField<v1::RoundSummary>& rounds, size_t width) {
  if (rounds.empty()) return "";
  Table table({{"round"},
               {"makes"},
               {"prompts", true},
               {"new", true},
               {"candidates", true},
               {"votes", true},
               {"parsed", true},
               {"score", true},
               {"length", true},
               {"pairs", true},
               {"ties", true},
               {"loss", true},
               {"margin", true},
               {"accuracy", true}});
  for (const v1::RoundSummary& round : rounds) AddRound(table, round);
  std::string text = table.Render(width);
  if (const Table judge = JudgeTable(rounds); !judge.empty()) text += "\n" + judge.Render(width);
  if (const Table figures = FiguresTable(rounds); !figures.empty()) text += "\n" + figures.Render(width);
  return text;
}

std::string DescribeHealth(const google::protobuf::RepeatedPtrField<v1::RoundSummary>& rounds, size_t width) {
  constexpr std::string_view kShownAbove[] = {"parse_rate", "mean_score", "judge_accuracy"};
  std::vector<Column> columns = {{"health"}};
  for (const v1::RoundSummary& round : rounds)
    columns.push_back({round.round() > 0 ? fmt::format("round {}", round.round()) : "SFT", true});
  Table table(columns);
  for (const std::string_view figure : config::HealthFigures()) {
    if (std::ranges::find(kShownAbove, figure) != std::end(kShownAbove)) continue;
    std::vector<std::string> row = {std::string(figure)};
    bool any = false;
    for (const v1::RoundSummary& round : rounds) {
      const auto found = round.health().find(row[0]);
      const bool there = found != round.health().end();
      any |= there && round.round() > 0;
      row.push_back(Decimal(there, there ? found->second : 0, 3));
    }
    if (any) table.AddRow(std::move(row));
  }
  return table.empty() ? "" : table.Render(width);
}

}  // namespace srlm::cli
