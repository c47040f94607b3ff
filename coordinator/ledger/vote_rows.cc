#include "coordinator/ledger/tables.h"
#include "coordinator/ledger/write.h"

namespace srlm::ledger {
namespace {

// Rows of a round (or of all) in the order of its prompts; more columns of the key follow.
constexpr char kByPrompt[] =
    "WHERE ?1 = 0 OR round = ?1 ORDER BY round, (SELECT position FROM prompts p WHERE p.round = t.round AND "
    "p.prompt_id = t.prompt_id), sample";

}  // namespace

Result<bool> Ledger::AddCandidate(const CandidateRow& row) { return Add(row); }

Status Ledger::SetCandidateScore(int round, const std::string& prompt_id, int sample, std::optional<double> score,
                                 const std::string& reason) {
  return Update("UPDATE candidates SET score = ?, reason = ? WHERE round = ? AND prompt_id = ? AND sample = ?", score,
                reason, round, prompt_id, sample);
}

Status Ledger::SetCandidateUse(int round, const std::string& prompt_id, int sample, const std::string& use) {
  return Update("UPDATE candidates SET use = ? WHERE round = ? AND prompt_id = ? AND sample = ?", use, round, prompt_id,
                sample);
}

Result<std::vector<CandidateRow>> Ledger::Candidates(int round) const {
  return Select<CandidateRow>(*database_, kByPrompt, round);
}

Result<std::vector<CandidateRow>> Ledger::CandidatesOf(int round, const std::string& prompt_id) const {
  return Select<CandidateRow>(*database_, "WHERE round = ? AND prompt_id = ? ORDER BY sample", round, prompt_id);
}

Result<std::optional<CandidateRow>> Ledger::Candidate(int round, const std::string& prompt_id, int sample) const {
  return SelectOne<CandidateRow>(*database_, "WHERE round = ? AND prompt_id = ? AND sample = ?", round, prompt_id,
                                 sample);
}

Result<bool> Ledger::AddVote(const VoteRow& row) { return Add(row); }

Result<std::vector<VoteRow>> Ledger::Votes(int round) const {
  return Select<VoteRow>(*database_, std::string(kByPrompt) + ", vote", round);
}

Result<std::vector<VoteRow>> Ledger::VotesOf(int round, const std::string& prompt_id, int sample) const {
  return Select<VoteRow>(*database_, "WHERE round = ? AND prompt_id = ? AND sample = ? ORDER BY vote", round, prompt_id,
                         sample);
}

}  // namespace srlm::ledger
