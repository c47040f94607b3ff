#include "coordinator/ledger/tables.h"
#include "coordinator/ledger/write.h"

namespace srlm::ledger {

Result<std::vector<VoteScore>> Ledger::VoteScores(int round, int samples, int begin, int end) const {
  SRLM_ASSIGN_OR_RETURN(Query query,
                        database_->Prepare("SELECT position, sample, score FROM votes WHERE round = ? AND position >= "
                                           "? AND position < ? AND sample < ? ORDER BY position, sample, vote"));
  query.BindNext(round, begin, end, samples);
  return query.Rest<VoteScore>(
      [](const Query& row, VoteScore& vote) { row.Read(vote.position, vote.sample, vote.score); });
}

Result<bool> Ledger::AddMetaVote(const MetaVoteRow& row) { return Add(row); }

Result<std::vector<MetaVoteRow>> Ledger::MetaVotesOf(int round, int position) const {
  return Select<MetaVoteRow>(*database_, "WHERE round = ? AND position = ? ORDER BY sample, first, second", round,
                             position);
}

Result<int64_t> Ledger::CountMetaVotes(int round, bool failed) const {
  SRLM_ASSIGN_OR_RETURN(Query query, database_->Prepare("SELECT count(*) FROM meta_votes WHERE round = ? AND (NOT ? OR "
                                                        "state = 'failed')"));
  query.BindNext(round, failed);
  SRLM_RETURN_IF_ERROR(query.Step().status());
  int64_t count = 0;
  query.Read(count);
  return count;
}

Result<std::vector<std::string>> Ledger::UnreadMetaVotes(int round, int64_t limit) const {
  SRLM_ASSIGN_OR_RETURN(Query query,
                        database_->Prepare("SELECT text FROM meta_votes WHERE round = ? AND state = 'absent' "
                                           "ORDER BY round, position, sample, first, second LIMIT ?"));
  query.BindNext(round, limit);
  return query.Rest<std::string>([](const Query& row, std::string& text) { row.Read(text); });
}

Result<bool> Ledger::AddJudgePair(const JudgePairRow& row) { return Add(row); }

Result<std::optional<JudgePairRow>> Ledger::JudgePair(int round, int position) const {
  return SelectOne<JudgePairRow>(*database_, "WHERE round = ? AND position = ?", round, position);
}

Result<std::vector<JudgePairRow>> Ledger::MadeJudgePairs(int round) const {
  return Select<JudgePairRow>(*database_, "WHERE round = ? AND outcome = 'paired' ORDER BY position", round);
}

Result<MetaCounts> Ledger::CountMeta(int round) const {
  MetaCounts counts;
  counts.round = round;
  SRLM_ASSIGN_OR_RETURN(
      Query query,
      database_->Prepare("SELECT count(*), ifnull(sum(state = 'parsed'), 0), ifnull(sum(verdict = 'a'), 0), "
                         "ifnull(sum(verdict = 'b'), 0) FROM meta_votes WHERE round = ? AND state != 'failed'"));
  query.BindNext(round);
  SRLM_RETURN_IF_ERROR(query.Step().status());
  query.Read(counts.comparisons, counts.parsed, counts.first_wins, counts.second_wins);
  SRLM_ASSIGN_OR_RETURN(
      Query orders, database_->Prepare(
                        "SELECT count(*), ifnull(sum(a.verdict = b.verdict AND a.verdict != 'tie'), 0) FROM meta_votes "
                        "AS a JOIN meta_votes AS b ON b.round = a.round AND b.position = a.position AND b.sample = "
                        "a.sample AND b.first = a.second AND b.second = a.first WHERE a.round = ? AND a.first < "
                        "a.second AND a.state = 'parsed' AND b.state = 'parsed'"));
  orders.BindNext(round);
  SRLM_RETURN_IF_ERROR(orders.Step().status());
  orders.Read(counts.both_orders, counts.flips);
  return counts;
}

Status Ledger::SetMetaCounts(const MetaCounts& counts) { return Set(counts); }

Result<MetaCounts> Ledger::GetMetaCounts(int round) const {
  SRLM_ASSIGN_OR_RETURN(const auto stored, SelectOne<MetaCounts>(*database_, "WHERE round = ?", round));
  MetaCounts none;
  none.round = round;
  return stored.value_or(none);
}

}  // namespace srlm::ledger
