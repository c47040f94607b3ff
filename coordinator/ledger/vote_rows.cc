#include "coordinator/ledger/tables.h"
#include "coordinator/ledger/write.h"

namespace srlm::ledger {
namespace {

// All rows of a query for one text.
Result<std::vector<std::string>> ReadTexts(Query& query) {
  return query.Rest<std::string>([](const Query& row, std::string& text) { row.Read(text); });
}

}  // namespace

Result<bool> Ledger::AddCandidate(const CandidateRow& row) { return Add(row); }

Status Ledger::SetCandidateScore(int round, int position, int sample, std::optional<double> score,
                                 const std::string& reason) {
  return Update("UPDATE candidates SET score = ?, reason = ? WHERE round = ? AND position = ? AND sample = ?", score,
                reason, round, position, sample);
}

Status Ledger::SetCandidateUse(int round, int position, int sample, const std::string& use) {
  return Update("UPDATE candidates SET use = ? WHERE round = ? AND position = ? AND sample = ?", use, round, position,
                sample);
}

Result<std::vector<CandidateRow>> Ledger::Candidates(int round) const {
  return Select<CandidateRow>(*database_, "WHERE ?1 = 0 OR round = ?1 ORDER BY round, position, sample", round);
}

Result<std::vector<CandidateRow>> Ledger::CandidatesOf(int round, int position) const {
  return Select<CandidateRow>(*database_, "WHERE round = ? AND position = ? ORDER BY sample", round, position);
}

Result<std::optional<CandidateRow>> Ledger::Candidate(int round, int position, int sample) const {
  return SelectOne<CandidateRow>(*database_, "WHERE round = ? AND position = ? AND sample = ?", round, position,
                                 sample);
}

Result<std::vector<CandidateKey>> Ledger::OpenCandidates(int round, const CandidateKey& after, int64_t limit) const {
  SRLM_ASSIGN_OR_RETURN(Query query,
                        database_->Prepare("SELECT position, sample, prompt_id FROM candidates WHERE score IS NULL "
                                           "AND reason = '' AND round = ? AND (position, sample) > (?, ?) "
                                           "ORDER BY position, sample LIMIT ?"));
  query.BindNext(round, after.position, after.sample, limit);
  return ReadCandidateKeys(query);
}

Result<std::vector<double>> Ledger::ScoresOf(int round, int position, int samples) const {
  SRLM_ASSIGN_OR_RETURN(Query query, database_->Prepare("SELECT score FROM candidates WHERE round = ? AND position = ? "
                                                        "AND sample < ? AND score IS NOT NULL ORDER BY sample"));
  query.BindNext(round, position, samples);
  return query.Rest<double>([](const Query& row, double& score) { row.Read(score); });
}

Result<bool> Ledger::AddVote(const VoteRow& row) { return Add(row); }

Result<std::vector<VoteRow>> Ledger::Votes(int round) const {
  return Select<VoteRow>(*database_, "WHERE ?1 = 0 OR round = ?1 ORDER BY round, position, sample, vote", round);
}

Result<std::vector<VoteRow>> Ledger::VotesOf(int round, int position, int sample) const {
  return Select<VoteRow>(*database_, "WHERE round = ? AND position = ? AND sample = ? ORDER BY vote", round, position,
                         sample);
}

Result<std::vector<std::string>> Ledger::UnreadVotes(int round, int64_t limit) const {
  SRLM_ASSIGN_OR_RETURN(Query query, database_->Prepare("SELECT text FROM votes WHERE round = ? AND state != 'parsed' "
                                                        "ORDER BY round, position, sample, vote LIMIT ?"));
  query.BindNext(round, limit);
  return ReadTexts(query);
}

Result<std::vector<std::string>> Ledger::UnreadEvaluationVotes(const std::string& model, int64_t limit) const {
  SRLM_ASSIGN_OR_RETURN(Query query,
                        database_->Prepare("SELECT text FROM evaluation_votes WHERE model = ? AND vote >= 0 AND "
                                           "state NOT IN ('parsed', 'failed') ORDER BY answer, vote LIMIT ?"));
  query.BindNext(model, limit);
  return ReadTexts(query);
}

}  // namespace srlm::ledger
