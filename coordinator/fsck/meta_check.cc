#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/base/hash.h"
#include "common/data/judge_template.h"
#include "common/data/pairwise_verdict.h"
#include "coordinator/fsck/row_difference.h"
#include "coordinator/fsck/run.h"
#include "coordinator/ledger/tables.h"
#include "coordinator/rounds/items.h"
#include "coordinator/rounds/judge_pairs.h"

namespace srlm::fsck {
namespace {

constexpr char kVotes[] = "meta votes", kPairs[] = "judge pairs";

/// The comparisons and pairs of judgements of one round.
class RoundCheck {
 public:
  RoundCheck(Run& run, const ledger::RoundRow& round, Report& report)
      : run_(run), round_(round), report_(report), model_id_(run.ModelId(fmt::format("M{}", round.round))) {}

  Status Check();
  int64_t comparisons() const { return comparisons_; }
  int64_t pairs() const { return pairs_; }

 private:
  void Add(const char* check, const std::string& where, const std::string& what) {
    report_.AddTo(check, fmt::format("{}, round {}", where, round_.round), what, kRowsChanged);
  }
  Status Subject(const rounds::MetaSubject& subject);
  Status Pairs();
  Status Question(const ledger::JudgePairRow& row);
  std::string Wrong(const std::vector<ledger::VoteRow>& votes, const ledger::MetaVoteRow& row) const;

  Run& run_;
  const ledger::RoundRow& round_;
  Report& report_;
  std::string model_id_;
  std::vector<rounds::MetaSubject> subjects_;
  int64_t comparisons_ = 0;
  int64_t pairs_ = 0;
};

Status RoundCheck::Check() {
  SRLM_ASSIGN_OR_RETURN(const int positions, run_.ledger.NextPosition(round_.round));
  SRLM_ASSIGN_OR_RETURN(const int64_t there, run_.ledger.CountMetaVotes(round_.round, false));
  if (there == 0 && !round_.pairs_closed) return OkStatus();
  constexpr int kAtOnce = 64;
  for (int begin = 0; begin < positions; begin += kAtOnce)
    SRLM_RETURN_IF_ERROR(rounds::AddMetaSubjects(run_.config, run_.ledger, round_.round, begin,
                                                 std::min(begin + kAtOnce, positions), subjects_));
  rounds::MarkCompared(run_.config, subjects_);
  const int64_t found_before = report_.found();
  for (const rounds::MetaSubject& subject : subjects_) SRLM_RETURN_IF_ERROR(Subject(subject));
  if (comparisons_ < there && report_.found() == found_before)
    Add(kVotes, "meta_votes", "there are rows of prompts that the round does not have");
  // What follows from missing or changed comparisons is not reported again.
  return report_.found() == found_before && round_.pairs_closed ? Pairs() : OkStatus();
}

Status RoundCheck::Subject(const rounds::MetaSubject& subject) {
  SRLM_ASSIGN_OR_RETURN(const auto rows, run_.ledger.MetaVotesOf(round_.round, subject.position));
  SRLM_ASSIGN_OR_RETURN(const auto votes, run_.ledger.VotesOf(round_.round, subject.position, subject.sample));
  comparisons_ += static_cast<int64_t>(rows.size());
  for (const ledger::MetaVoteRow& row : rows) {
    std::string wrong = Wrong(votes, row);
    if (!subject.compared || row.sample != subject.sample)
      wrong = "its candidate is not the one whose judgements are compared";
    if (!wrong.empty())
      Add(kVotes,
          fmt::format("meta_votes, position {}, sample {}, {} before {}", row.position, row.sample, row.first,
                      row.second),
          wrong);
  }
  if (round_.pairs_closed && static_cast<int64_t>(rows.size()) < subject.comparisons())
    Add(kVotes, fmt::format("meta_votes, position {}", subject.position),
        fmt::format("{} of {} comparisons are there, in a round that is closed", rows.size(), subject.comparisons()));
  return OkStatus();
}

// What is wrong with a comparison; empty: nothing.
std::string RoundCheck::Wrong(const std::vector<ledger::VoteRow>& votes, const ledger::MetaVoteRow& row) const {
  const auto judgement = [&](int vote) {
    const auto found = std::ranges::find(votes, vote, &ledger::VoteRow::vote);
    return found == votes.end() || !found->score ? nullptr : &*found;
  };
  const ledger::VoteRow *first = judgement(row.first), *second = judgement(row.second);
  if (first == nullptr || second == nullptr || first == second) return "there are no two judgements that it compares";
  if (row.state == "failed") return row.verdict.empty() && !row.text.empty() ? "" : "it failed without a reason";
  if (row.model_id != model_id_ && !model_id_.empty())
    return fmt::format("made by model {}, and the round's is {}", row.model_id, model_id_);
  if (row.subject_hash != rounds::ComparedHash(*first, *second))
    return "it compared other texts: its subject_hash is not that of its judgements";
  const bool parsed = row.state == "parsed";
  if ((!parsed && row.state != "absent") || parsed == row.verdict.empty() || parsed != row.prefers_first.has_value())
    return fmt::format("its state \"{}\" and its verdict do not fit", row.state);
  if (run_.config.meta_judge.verdict == config::VerdictKind::kExpected) return "";
  const auto verdict = data::ParsePairVerdict(row.text);
  return (verdict ? data::PairVerdictName(*verdict) : "") == row.verdict ? "" : "its text says another verdict";
}

Status RoundCheck::Pairs() {
  SRLM_ASSIGN_OR_RETURN(ledger::MetaCounts counted, run_.ledger.CountMeta(round_.round));
  SRLM_ASSIGN_OR_RETURN(const ledger::MetaCounts stored, run_.ledger.GetMetaCounts(round_.round));
  SRLM_ASSIGN_OR_RETURN(const ledger::RoundCounts counts, run_.ledger.Counts(round_.round));
  const data::PlaceWeights weights = data::WeighPlaces(counted.first_wins, counted.second_wins);
  std::vector<ledger::JudgePairRow> wanted;
  for (const rounds::MetaSubject& subject : subjects_) {
    SRLM_ASSIGN_OR_RETURN(wanted.emplace_back(),
                          rounds::DecideJudgePair(run_.config, run_.ledger, round_.round, subject, weights));
  }
  rounds::LimitShare(run_.config, counts.pairs, wanted);
  for (ledger::JudgePairRow& row : wanted) {
    const std::string where = fmt::format("judge_pairs, position {}", row.position);
    SRLM_ASSIGN_OR_RETURN(const auto there, run_.ledger.JudgePair(round_.round, row.position));
    if (!there) {
      Add(kPairs, where, "it is missing, in a round that is closed");
      continue;
    }
    const bool paired = row.outcome == "paired";
    counted.judge_pairs += paired;
    row.judge_prompt = there->judge_prompt;
    row.prompt_token_ids = there->prompt_token_ids;
    if (const std::string difference = Difference(*there, row); !difference.empty())
      Add(kPairs, where, "it is not what the comparisons give: " + difference);
    else if (paired == there->prompt_token_ids.empty() || paired == there->judge_prompt.empty())
      Add(kPairs, where, paired ? "it has no question to the judge" : "it has a question, and is no pair");
    else if (paired)
      SRLM_RETURN_IF_ERROR(Question(*there));
  }
  pairs_ = counted.judge_pairs;
  if (const std::string difference = Difference(stored, counted); !difference.empty())
    Add(kPairs, "meta_counts", "it is not what the round's rows give: " + difference);
  return OkStatus();
}

// Where the template is as it was when the run began.
Status RoundCheck::Question(const ledger::JudgePairRow& row) {
  const auto judge = data::JudgeTemplate::Load(run_.config.judge.judge_template);
  SRLM_ASSIGN_OR_RETURN(const std::string noted, run_.ledger.Fact("input.judge.template"));
  if (!judge.ok() || Sha256(judge->text()) != noted) return OkStatus();
  SRLM_ASSIGN_OR_RETURN(const auto prompt, run_.ledger.Prompt(row.round, row.position));
  SRLM_ASSIGN_OR_RETURN(const auto candidate, run_.ledger.Candidate(row.round, row.position, row.sample));
  if (!prompt || !candidate || judge->Fill(data::PlainText(prompt->input), candidate->text) == row.judge_prompt)
    return OkStatus();
  Add(kPairs, fmt::format("judge_pairs, position {}", row.position), "its question is not that about its answer");
  return OkStatus();
}

template <class Row>
Status DigestRows(Run& run, const char* kind, const std::string& key) {
  RowDigest& digest = run.digests[kind];
  return ledger::ForEach<Row>(run.ledger.database(), "ORDER BY round, position" + key, [&](const Row& row) {
    digest.Add(row);
    return OkStatus();
  });
}

// Rows of rounds that the ledger does not have, or that nobody wanted.
Status CheckStray(const Run& run, Report& report) {
  for (const auto& [table, check] :
       {std::pair{"meta_votes", kVotes}, {"judge_pairs", kPairs}, {"meta_counts", kPairs}}) {
    SRLM_ASSIGN_OR_RETURN(ledger::Query query, run.ledger.database().Prepare(
                                                   fmt::format("SELECT DISTINCT round FROM {} ORDER BY round", table)));
    SRLM_ASSIGN_OR_RETURN(const auto rounds, query.Rest<int>([](const ledger::Query& row, int& r) { row.Read(r); }));
    for (const int round : rounds)
      if (!run.config.meta_judge.enabled || round < 1 || run.Round(round) == nullptr)
        report.AddTo(check, fmt::format("{}, round {}", table, round),
                     run.config.meta_judge.enabled ? "the ledger has no such round" : "meta_judge.enabled is false",
                     kRowsChanged);
  }
  return OkStatus();
}

}  // namespace

Status CheckMeta(Run& run, Report& report) {
  report.Begin(kVotes);
  report.Begin(kPairs);
  SRLM_RETURN_IF_ERROR(CheckStray(run, report));
  int64_t comparisons = 0, pairs = 0;
  if (run.config.meta_judge.enabled) {
    SRLM_RETURN_IF_ERROR(DigestRows<ledger::MetaVoteRow>(run, kVotes, ", sample, first, second"));
    SRLM_RETURN_IF_ERROR(DigestRows<ledger::JudgePairRow>(run, kPairs, ""));
    for (const ledger::RoundRow& round : run.rounds) {
      if (round.round == 0) continue;
      RoundCheck check(run, round, report);
      SRLM_RETURN_IF_ERROR(check.Check());
      comparisons += check.comparisons();
      pairs += check.pairs();
    }
  }
  report.CountedIn(kVotes, fmt::format("{}", comparisons));
  report.CountedIn(kPairs, fmt::format("{}", pairs));
  return OkStatus();
}

}  // namespace srlm::fsck
