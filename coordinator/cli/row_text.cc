#include "coordinator/cli/row_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "coordinator/cli/table.h"
#include "coordinator/cli/text.h"

namespace srlm::cli {
namespace {

using Row = nlohmann::ordered_json;

constexpr size_t kMostTextColumns = 600;  // of an answer; about what fits half a screen
constexpr size_t kIndent = 4;

/// The field as text; empty when it is absent, null, or no text.
std::string Text(const Row& row, const char* key) {
  const auto found = row.find(key);
  return found != row.end() && found->is_string() ? found->get<std::string>() : "";
}

/// The field as a number: whole ones without a point, null and absent ones as "-".
std::string Number(const Row& row, const char* key, int digits = 2) {
  const auto found = row.find(key);
  if (found == row.end() || !found->is_number()) return "-";
  if (found->is_number_integer()) return std::to_string(found->get<int64_t>());
  return fmt::format("{:.{}f}", found->get<double>(), digits);
}

std::string Block(const std::string& text, size_t width) {
  const size_t room = width > kIndent + 20 ? width - kIndent : 20;
  return Wrap(Shorten(text, kMostTextColumns), room, kIndent);
}

std::string DescribePrompts(const Rows& rows, size_t width) {
  Table table({{"round", true}, {"prompt"}, {"source"}, {"state"}, {"text", false, true}});
  for (const Row& row : rows) {
    const std::string id = row.contains("prompt_id") ? Text(row, "prompt_id") : "attempt " + Number(row, "attempt");
    const std::string reason = Text(row, "reason");
    table.AddRow({Number(row, "round"), id, Text(row, "source"),
                  reason.empty() ? Text(row, "state") : Text(row, "state") + ": " + reason, Text(row, "prompt")});
  }
  return table.Render(width);
}

/// `4 3 -`: the votes in order, "-" where one did not parse.
std::string Votes(const Row& row) {
  std::string votes;
  for (const Row& vote : row.value("votes", Row::array())) {
    const auto score = vote.find("score");
    const bool parsed = score != vote.end() && score->is_number();
    votes += (votes.empty() ? "" : " ") + (parsed ? fmt::format("{:.3g}", score->get<double>()) : std::string("-"));
  }
  return votes;
}

std::string DescribeCandidates(const Rows& rows, size_t width) {
  std::string text;
  for (const Row& row : rows) {
    const size_t tokens = row.value("token_ids", Row::array()).size();
    text += fmt::format("round {}  {}  sample {}  score {}", Number(row, "round"), OneLine(Text(row, "prompt_id")),
                        Number(row, "sample"), Number(row, "score"));
    if (const std::string votes = Votes(row); !votes.empty()) text += fmt::format("  votes {}", votes);
    text += fmt::format("  {} tokens", tokens);
    if (Text(row, "finish_reason") == "length") text += " (cut)";
    if (!Text(row, "use").empty()) text += "  " + Text(row, "use");
    if (!Text(row, "reason").empty()) text += "  " + OneLine(Text(row, "reason"));
    text += "\n" + Block(Text(row, "text"), width);
  }
  return text;
}

std::string DescribePairs(const Rows& rows, size_t width) {
  std::string text;
  for (const Row& row : rows) {
    const std::string id = OneLine(Text(row, "prompt_id"));
    if (!row.contains("chosen")) {
      text += fmt::format("round {}  {}  no pair: {}\n", Number(row, "round"), id,
                          OneLine(Text(row, "reason").empty() ? Text(row, "outcome") : Text(row, "reason")));
      text += Block(Text(row, "prompt"), width);
      continue;
    }
    text += fmt::format("round {}  {}  {}", Number(row, "round"), id, Number(row, "chosen_score"));
    text += row.contains("rejected") ? fmt::format(" over {}\n", Number(row, "rejected_score")) : "\n";
    text += fmt::format("  {}: {}", OneLine(Text(row, "rule")), OneLine(Text(row, "reason")));
    text += row.contains("consistency") ? fmt::format("; consistency {}\n", Number(row, "consistency")) : "\n";
    text += Block(Text(row, "prompt"), width);
    text += fmt::format("  chosen, sample {}:\n{}", Number(row, "chosen_sample"), Block(Text(row, "chosen"), width));
    if (!row.contains("rejected")) continue;
    text +=
        fmt::format("  rejected, sample {}:\n{}", Number(row, "rejected_sample"), Block(Text(row, "rejected"), width));
  }
  return text;
}

std::string Figure(const Row& row, const char* part, const char* key, int digits) {
  if (!row.contains(part) || !row[part].is_object() || !row[part].contains(key)) return "-";
  const Row& figure = row[part][key];
  if (figure.is_number()) return fmt::format("{:.{}f}", figure.get<double>(), digits);
  if (!figure.is_object() || !figure["value"].is_number()) return "-";
  return fmt::format("{:.{}f} [{:.{}f}, {:.{}f}] n {}", figure["value"].get<double>(), digits,
                     figure["low"].get<double>(), digits, figure["high"].get<double>(), digits,
                     figure["n"].get<int64_t>());
}

/// Figures are rows and models are columns.
std::string DescribeEvaluations(const Rows& rows, size_t width) {
  struct Line {
    const char* title;
    const char* part;
    const char* key;
    int digits;
  };
  constexpr Line kLines[] = {{"judge: pairwise accuracy", "judge", "pairwise_accuracy", 2},
                             {"the same, matched length", "judge", "pairwise_accuracy_length_matched", 2},
                             {"held-out answers: log-probability a token", "held_out", "logprob_per_token", 4},
                             {"answers: characters", "answers_given", "characters", 0},
                             {"answers: tokens", "answers_given", "tokens", 0},
                             {"answers: cut", "answers_given", "cut", 2},
                             {"answers: distinct-1", "answers_given", "distinct_1", 3},
                             {"answers: distinct-2", "answers_given", "distinct_2", 3},
                             {"answers: distinct-3", "answers_given", "distinct_3", 3},
                             {"against the model before: wins", "head_to_head", "win", 2},
                             {"ties, or the orders disagree", "head_to_head", "tie", 2},
                             {"losses", "head_to_head", "lose", 2},
                             {"win rate, a tie is one half", "head_to_head", "win_rate", 2},
                             {"win rate, length-controlled", "head_to_head", "win_rate_length_controlled", 2},
                             {"order flips", "head_to_head", "flipped", 2},
                             {"preference for the first place", "head_to_head", "prefers_first", 2}};
  std::vector<Column> columns = {{"figure"}};
  for (const Row& row : rows) columns.push_back({Text(row, "model")});
  Table table(columns);
  for (const Line& line : kLines) {
    std::vector<std::string> cells = {line.title};
    bool any = false;
    for (const Row& row : rows) {
      cells.push_back(Figure(row, line.part, line.key, line.digits));
      any |= cells.back() != "-";
    }
    if (any) table.AddRow(std::move(cells));
  }
  return table.Render(width);
}

std::string DescribeEvaluationAnswers(const Rows& rows, size_t width) {
  std::string text;
  for (const Row& row : rows) {
    text += fmt::format("{}  {}  {} tokens{}", Text(row, "model"), OneLine(Text(row, "prompt_id")),
                        row.value("token_ids", Row::array()).size(),
                        Text(row, "finish_reason") == "length" ? " (cut)" : "");
    for (const Row& each : row.value("comparisons", Row::array()))
      text += fmt::format("  against {}, {}: {}", Text(each, "other"), Text(each, "order"),
                          Text(each, "verdict").empty() ? Text(each, "state") : Text(each, "verdict"));
    if (!Text(row, "reason").empty()) text += "  " + OneLine(Text(row, "reason"));
    text += "\n" + Block(Text(row, "text"), width);
  }
  return text;
}

std::string DescribeJudgePairs(const Rows& rows, size_t width) {
  std::string text;
  for (const Row& row : rows) {
    const std::string id = OneLine(Text(row, "prompt_id"));
    if (Text(row, "outcome") != "paired") {
      text += fmt::format("round {}  {}  no pair of judgements: {}\n", Number(row, "round"), id,
                          OneLine(Text(row, "reason")));
      continue;
    }
    text += fmt::format("round {}  {}  sample {}\n  {}\n", Number(row, "round"), id, Number(row, "sample"),
                        OneLine(Text(row, "reason")));
    for (const char* side : {"chosen", "rejected"}) {
      const std::string of = side;
      text += fmt::format("  {}, vote {}, score {}, Elo {}:\n{}", of, Number(row, (of + "_vote").c_str()),
                          Number(row, (of + "_score").c_str()), Number(row, (of + "_elo").c_str()),
                          Block(Text(row, side), width));
    }
  }
  return text;
}

std::string DescribeEvents(const Rows& rows, size_t width) {
  Table table({{"time (UTC)"}, {"round", true}, {"level"}, {"event"}, {"message", false, true}});
  for (const Row& row : rows) {
    const auto seconds = static_cast<std::time_t>(row.value("time_ms", int64_t{0}) / 1000);
    table.AddRow({fmt::format("{:%F %T}", fmt::gmtime(seconds)), Number(row, "round"), Text(row, "level"),
                  Text(row, "event"), Text(row, "message")});
  }
  return table.Render(width);
}

}  // namespace

std::string DescribeRows(const std::string& table, const Rows& rows, size_t width) {
  if (table == "prompts") return DescribePrompts(rows, width);
  if (table == "candidates") return DescribeCandidates(rows, width);
  if (table == "pairs") return DescribePairs(rows, width);
  if (table == "evaluations") return DescribeEvaluations(rows, width);
  if (table == "evaluation_answers") return DescribeEvaluationAnswers(rows, width);
  if (table == "judge_pairs") return DescribeJudgePairs(rows, width);
  return DescribeEvents(rows, width);
}

}  // namespace srlm::cli
