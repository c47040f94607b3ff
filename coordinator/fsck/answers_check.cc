#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/base/hash.h"
#include "coordinator/fsck/prompt_group.h"
#include "coordinator/fsck/row_difference.h"
#include "coordinator/ledger/tables.h"
#include "coordinator/rounds/answers.h"
#include "coordinator/rounds/judge_program.h"

namespace srlm::fsck {
namespace {

constexpr int kPromptsAtOnce = 64;  // all their rows are in memory

/// Reads a round's rows, some positions at a time, into groups and digests.
class GroupReader {
 public:
  GroupReader(Run& run, int round) : run_(run), round_(round) {}

  /// The groups of the next positions that have rows; none after the last.
  Result<std::map<int, PromptGroup>> Next() {
    std::map<int, PromptGroup> groups;
    SRLM_ASSIGN_OR_RETURN(const std::optional<int> first, FirstFrom(next_));
    if (!first) return groups;
    const int64_t end = int64_t{*first} + kPromptsAtOnce;
    SRLM_RETURN_IF_ERROR(Read(*first, end, "", "prompts", groups, &PromptGroup::prompts));
    SRLM_RETURN_IF_ERROR(Read(*first, end, ", sample", "candidates", groups, &PromptGroup::candidates));
    SRLM_RETURN_IF_ERROR(Read(*first, end, ", sample, vote", "votes", groups, &PromptGroup::votes));
    SRLM_RETURN_IF_ERROR(Read(*first, end, ", sample", "likelihoods", groups, &PromptGroup::likelihoods));
    SRLM_RETURN_IF_ERROR(Read(*first, end, ", pair", "pairs", groups, &PromptGroup::pairs));
    next_ = end;
    return groups;
  }

 private:
  // The first position from `position` on that any table has.
  Result<std::optional<int>> FirstFrom(int64_t position) {
    std::optional<int> first;
    for (const char* table : {"prompts", "candidates", "votes", "likelihoods", "pairs"}) {
      SRLM_ASSIGN_OR_RETURN(
          ledger::Query query,
          run_.ledger.database().Prepare(fmt::format(
              "SELECT position FROM {} WHERE round = ? AND position >= ? ORDER BY position LIMIT 1", table)));
      query.BindNext(round_, position);
      SRLM_ASSIGN_OR_RETURN(const bool found, query.Step());
      int at = 0;
      if (found) query.Read(at);
      if (found) first = std::min(at, first.value_or(at));
    }
    return first;
  }

  template <class Row>
  Status Read(int first, int64_t end, const std::string& key, const std::string& kind,
              std::map<int, PromptGroup>& groups, std::vector<Row> PromptGroup::* rows) {
    RowDigest& digest = run_.digests[kind];
    return ledger::ForEach<Row>(
        run_.ledger.database(), "WHERE round = ? AND position >= ? AND position < ? ORDER BY round, position" + key,
        [&](Row row) {
          digest.Add(row);
          const int position = row.position;
          (groups[position].*rows).push_back(std::move(row));
          return OkStatus();
        },
        round_, first, end);
  }

  Run& run_;
  int round_;
  int64_t next_ = INT32_MIN;
};

// Rows of rounds that the ledger does not have would never be read by round.
Status CheckStrayRounds(const Run& run, Report& report) {
  for (const char* table : {"prompts", "candidates", "votes", "likelihoods", "pairs"}) {
    int after = INT32_MIN;
    while (true) {
      SRLM_ASSIGN_OR_RETURN(ledger::Query query,
                            run.ledger.database().Prepare(
                                fmt::format("SELECT round FROM {} WHERE round > ? ORDER BY round LIMIT 1", table)));
      query.BindNext(after);
      SRLM_ASSIGN_OR_RETURN(const bool found, query.Step());
      if (!found) break;
      query.Read(after);
      if (after >= 1 && run.Round(after) != nullptr) continue;
      report.AddTo(table, fmt::format("{}, round {}", table, after), "the ledger has no such round", kRowsChanged);
    }
  }
  return OkStatus();
}

Status CheckGiven(const Run& run, const ledger::RoundRow& round, int64_t given, Report& report) {
  const int wanted = run.config.prompts.per_round - run.config.prompts.new_per_round;
  if (!round.pairs_closed || given == wanted) return OkStatus();
  SRLM_ASSIGN_OR_RETURN(const bool said, run.HasEvent(round.round, "given_prompts_missing"));
  if (given > wanted || !said)
    report.AddTo("prompts", fmt::format("prompts, round {}", round.round),
                 fmt::format("{} given prompts are there, {} are wanted (prompts.per_round - prompts.new_per_round)",
                             given, wanted),
                 kRowsChanged);
  return OkStatus();
}

// Sums of a round that is not closed depend on the order in which its results came.
ledger::RoundCounts WithoutSums(ledger::RoundCounts counts) {
  data::VoteTally& votes = counts.votes;
  for (double* sum : {&votes.score_sum, &votes.score_squares, &votes.length_sum, &votes.length_squares,
                      &votes.score_length, &votes.variance_sum})
    *sum = 0;
  counts.pairs = counts.ties = counts.duplicates = counts.consistencies = counts.log_ratios = 0;
  counts.consistency_sum = counts.log_ratio_sum = 0;
  return counts;
}

Status CheckCounts(const Run& run, const ledger::RoundRow& round, const ledger::RoundCounts& counted, Report& report) {
  SRLM_ASSIGN_OR_RETURN(const ledger::RoundCounts stored, run.ledger.Counts(round.round));
  const std::string difference =
      round.pairs_closed ? Difference(stored, counted) : Difference(WithoutSums(stored), WithoutSums(counted));
  if (!difference.empty())
    report.AddTo("pairs", fmt::format("round_counts, round {}", round.round),
                 "it is not what the round's rows give: " + difference, kRowsChanged);
  return OkStatus();
}

// A program's votes go back to a file that was accepted as a whole; the file may be gone, but not another.
Status CheckProgramScores(const Run& run, const ledger::RoundRow& round, const ledger::RoundCounts& counted,
                          Report& report) {
  if (!rounds::JudgedByProgram(run.config) || counted.votes.votes == 0) return OkStatus();
  const std::string file = rounds::JudgementFolder(run.folder, round.round) + "/" + rounds::kScoresFile;
  SRLM_ASSIGN_OR_RETURN(const std::string accepted, run.ledger.Fact(rounds::JudgementFact(round.round)));
  const auto hash = Sha256File(file);
  if (accepted.empty())
    report.AddTo("votes", fmt::format("votes, round {}", round.round),
                 "they are there, and no scores of judge.program were accepted", kRowsChanged);
  else if (hash.ok() && *hash != accepted)
    report.AddTo("votes", file, "it is not what was accepted: its SHA-256 is " + *hash + ", the ledger has " + accepted,
                 "nothing reads it any more once the round is closed: delete it");
  return OkStatus();
}

std::string Of(int64_t count, const std::string& open) { return count == 0 ? "" : fmt::format(", {} {}", count, open); }

}  // namespace

Status CheckAnswers(Run& run, Report& report) {
  for (const char* check : {"prompts", "candidates", "votes", "likelihoods", "pairs"}) report.Begin(check);
  GroupTotals totals;
  std::set<std::string> given_ids;
  for (const ledger::RoundRow& round : run.rounds) {
    if (round.round == 0) continue;
    const int64_t found_before = report.found();
    ledger::RoundCounts counts;
    counts.round = round.round;
    int expected = 0;
    int64_t given = 0;
    for (GroupReader reader(run, round.round);;) {
      SRLM_ASSIGN_OR_RETURN(const auto groups, reader.Next());
      if (groups.empty()) break;
      for (const auto& [position, group] : groups) {
        // Of several missing ones in a row the first is named.
        if (position > expected) CheckGroup(run, round, expected, {}, report, totals, counts);
        expected = position + 1;
        CheckGroup(run, round, position, group, report, totals, counts);
        for (const ledger::PromptRow& prompt : group.prompts) {
          if (prompt.is_new) continue;
          ++given;
          if (!given_ids.insert(prompt.prompt_id).second)
            report.AddTo("prompts", fmt::format("prompts, round {}, position {}", round.round, position),
                         "given prompt " + prompt.prompt_id + " was used before", kRowsChanged);
        }
      }
    }
    if (report.found() != found_before) continue;  // its totals would only say so again
    SRLM_RETURN_IF_ERROR(CheckGiven(run, round, given, report));
    SRLM_RETURN_IF_ERROR(CheckCounts(run, round, counts, report));
    SRLM_RETURN_IF_ERROR(CheckProgramScores(run, round, counts, report));
  }
  SRLM_RETURN_IF_ERROR(CheckStrayRounds(run, report));
  report.CountedIn("prompts", fmt::format("{}{}{}", totals.prompts, Of(totals.set_aside, "set aside"),
                                          Of(totals.open_prompts, "open")));
  report.CountedIn("candidates", fmt::format("{} of {} x {}", totals.candidates,
                                             totals.prompts - totals.set_aside - totals.open_prompts,
                                             run.config.generation.samples + rounds::AnchorSamples(run.config)));
  report.CountedIn("votes", fmt::format("{}{}{}", totals.votes, Of(totals.not_judged, "candidates not judged"),
                                        Of(totals.open_candidates, "candidates open")));
  report.CountedIn("likelihoods", fmt::format("{}", totals.likelihoods));
  report.CountedIn("pairs", fmt::format("{} of {} prompts", totals.pairs, totals.prompts));
  return OkStatus();
}

}  // namespace srlm::fsck
