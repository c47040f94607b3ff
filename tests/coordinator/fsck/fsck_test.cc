// A good ledger is clean; each kind of damage to its rows is one finding.
#include "coordinator/fsck/fsck.h"

#include "coordinator/ledger/ledger.h"
#include "tests/coordinator/fsck/damaged_run.h"

namespace srlm::fsck {
namespace {

using FsckTest = DamagedRunTest;

TEST_F(FsckTest, AFinishedRunIsCleanAndItsDigestIsThatOfWhatItMade) {
  const Report report = Check(good());
  EXPECT_EQ(report.found(), 0) << report.findings().front().where << report.findings().front().what;
  EXPECT_EQ(report.state, "done");
  EXPECT_EQ(report.digest.all.size(), 64U);
  EXPECT_EQ(Check(Copy()).digest.all, report.digest.all);
  const Report other = Check(Damaged("UPDATE candidates SET logprob = logprob + 1e-12 WHERE sample = 1"));
  EXPECT_NE(other.digest.all, report.digest.all);
  for (const auto& [kind, hash] : report.digest.kinds)
    EXPECT_EQ(other.digest.kinds.at(kind) == hash, kind != "candidates") << kind;
}

TEST_F(FsckTest, CandidatesAreThereOnce) {
  ExpectOnly(Damaged("DELETE FROM candidates WHERE position = 1 AND sample = 2"), "candidates", "position 1",
             "missing");
  ExpectOnly(Damaged("DELETE FROM candidates WHERE position = 1 AND sample = 2;"
                     "DELETE FROM votes WHERE position = 1 AND sample = 2"),
             "candidates", "sample 2", "missing");
  ExpectOnly(Damaged("INSERT INTO candidates SELECT round, position, 3, prompt_id, model_id, cut, score, use, reason, "
                     "logprob, token_hash, token_ids, text FROM candidates WHERE position = 0 AND sample = 0"),
             "candidates", "sample 3", "one too many");
  // The same key twice, which the table's own key would not have let in.
  ExpectOnly(Damaged("CREATE TABLE other AS SELECT * FROM candidates; DROP TABLE candidates;"
                     "ALTER TABLE other RENAME TO candidates;"
                     "INSERT INTO candidates SELECT * FROM candidates WHERE position = 4 AND sample = 1"),
             "candidates", "position 4", "there 2 times");
  ExpectOnly(Damaged("UPDATE candidates SET token_ids = x'01000000' WHERE position = 0 AND sample = 0"), "candidates",
             "sample 0", "token_hash");
  ExpectOnly(Damaged("UPDATE candidates SET model_id = 'M9' WHERE position = 0 AND sample = 0"), "candidates",
             "sample 0", "made by model M9");
}

TEST_F(FsckTest, PromptsAreThereOnceOrSetAside) {
  ExpectOnly(Damaged("DELETE FROM prompts WHERE position = 1; DELETE FROM candidates WHERE position = 1;"
                     "DELETE FROM votes WHERE position = 1; DELETE FROM pairs WHERE position = 1"),
             "prompts", "position 1", "missing");
  ExpectOnly(Damaged("UPDATE prompts SET state = 'open' WHERE position = 2"), "prompts", "position 2", "closed");
  ExpectOnly(Damaged("UPDATE prompts SET state = 'failed' WHERE position = 2"), "prompts", "position 2",
             "without a reason");
  ExpectOnly(Damaged("UPDATE attempts SET state = 'written' WHERE state = 'surplus' OR state = 'rejected'"),
             "new prompts", "attempt", "closed");
  ExpectOnly(Damaged("UPDATE prompts SET input = '{\"messages\":[{\"role\":\"user\",\"content\":\"other\"}]}' WHERE "
                     "position = 3"),
             "new prompts", "attempt", "not what was accepted");
}

TEST_F(FsckTest, NoNewPromptIsAnotherInOtherLetters) {
  ExpectOnly(Damaged("UPDATE attempts SET instruction = (SELECT upper(instruction) || '!' FROM attempts WHERE state = "
                     "'accepted' ORDER BY attempt LIMIT 1) WHERE attempt = (SELECT max(attempt) FROM attempts WHERE "
                     "state = 'accepted');"
                     "UPDATE prompts SET input = (SELECT json_set(input, '$.messages[0].content', (SELECT instruction "
                     "FROM attempts WHERE 'new-1-' || attempt = prompt_id)) FROM prompts p WHERE p.prompt_id = "
                     "prompts.prompt_id) WHERE is_new = 1"),
             "new prompts", "attempt", "the same as that of");
}

TEST_F(FsckTest, VotesAreThereOnceAndAboutTheirCandidate) {
  ExpectOnly(Damaged("DELETE FROM votes WHERE position = 1 AND sample = 2 AND vote = 0"), "votes", "vote 0", "missing");
  ExpectOnly(Damaged("INSERT INTO votes SELECT round, position, sample, 2, model_id, subject_hash, state, score, "
                     "logprob, token_ids, text FROM votes WHERE position = 0 AND sample = 0 AND vote = 0"),
             "votes", "vote 2", "one too many");
  ExpectOnly(Damaged("UPDATE votes SET subject_hash = (SELECT token_hash FROM candidates WHERE position = 0 AND sample "
                     "= 1) WHERE position = 0 AND sample = 0 AND vote = 1"),
             "votes", "sample 0, vote 1", "judged another text");
  ExpectOnly(Damaged("UPDATE votes SET model_id = 'M9' WHERE position = 0 AND sample = 0 AND vote = 1"), "votes",
             "vote 1", "made by model M9");
  ExpectOnly(Damaged("UPDATE votes SET text = 'Score: 6' WHERE position = 0 AND sample = 0 AND vote = 1"), "votes",
             "vote 1", "text says another score");
  ExpectOnly(Damaged("UPDATE candidates SET score = 9 WHERE position = 0 AND sample = 0"), "votes", "sample 0",
             "its votes give");
  ExpectOnly(Damaged("DELETE FROM evaluation_votes WHERE model = 'M2' AND answer = 1 AND vote = -1"), "evaluations",
             "model M2, answer 1, vote -1", "missing");
}

TEST_F(FsckTest, PairsFollowFromTheVotes) {
  ExpectOnly(Damaged("DELETE FROM pairs WHERE outcome = 'paired' AND position = (SELECT min(position) FROM pairs "
                     "WHERE outcome = 'paired')"),
             "pairs", "pairs, round 1", "missing");
  ExpectOnly(Damaged("UPDATE pairs SET chosen_sample = rejected_sample, rejected_sample = chosen_sample WHERE position "
                     "= (SELECT min(position) FROM pairs WHERE outcome = 'paired')"),
             "pairs", "pairs, round 1", "chosen_sample");
  ExpectOnly(Damaged("UPDATE candidates SET use = 'cut' WHERE position = 0 AND sample = 0"), "pairs", "sample 0",
             "marked \"cut\"");
  ExpectOnly(Damaged("UPDATE jobs SET rows = rows - 1 WHERE kind = 'dpo'"), "jobs", "dpo-1", "pairs");
  ExpectOnly(Damaged("UPDATE round_counts SET tokens = tokens + 1"), "pairs", "round_counts", "tokens is");
}

TEST_F(FsckTest, RoundsJobsAndLaunchesAreConsistent) {
  ExpectOnly(Damaged("UPDATE rounds SET prompts_closed = 0 WHERE round = 1"), "rounds", "round 1", "not");
  ExpectOnly(Damaged("UPDATE jobs SET state = 'running' WHERE job_id = 'dpo-1'"), "jobs", "dpo-1", "M2 is there");
  ExpectOnly(Damaged("INSERT INTO votes SELECT 7, position, sample, vote, model_id, subject_hash, state, score, "
                     "logprob, token_ids, text FROM votes WHERE position = 0 AND sample = 0 AND vote = 0"),
             "votes", "round 7", "no such round");
  ExpectOnly(Damaged("UPDATE launches SET ended_ms = 0, end = '' WHERE launch_id = (SELECT min(launch_id) FROM "
                     "launches)"),
             "processes", "launches", "not noted");
}

}  // namespace
}  // namespace srlm::fsck
