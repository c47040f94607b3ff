#include "coordinator/ledger/schema.h"

#include <fmt/format.h>

#include <array>

namespace srlm::ledger {
namespace {

// The first step makes kOldestVersion, each other one the next version. A released step is never changed: a new one is
// added.
constexpr std::array<const char*, kSchemaVersion - kOldestVersion + 1> kSteps = {R"sql(
CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE models (name TEXT PRIMARY KEY, model_id TEXT NOT NULL, folder TEXT NOT NULL, job_id TEXT NOT NULL)
  WITHOUT ROWID;
CREATE TABLE rounds (round INTEGER PRIMARY KEY, started_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL,
  prompts_closed INTEGER NOT NULL, pairs_closed INTEGER NOT NULL);
CREATE TABLE attempts (round INTEGER, attempt INTEGER, wave INTEGER NOT NULL, model_id TEXT NOT NULL,
  demonstrations TEXT NOT NULL, text TEXT NOT NULL, token_ids BLOB NOT NULL, cut INTEGER NOT NULL,
  logprob REAL NOT NULL, state TEXT NOT NULL, instruction TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
  PRIMARY KEY (round, attempt));
CREATE INDEX accepted_attempts ON attempts (round, attempt, instruction) WHERE state = 'accepted';
CREATE INDEX waves ON attempts (round, wave);
-- Keys follow the order of the prompts, so that reading in that order needs no sorting. What is long stands last: a row
-- is read up to the last column that is asked for.
CREATE TABLE prompts (round INTEGER, position INTEGER, prompt_id TEXT NOT NULL, is_new INTEGER NOT NULL,
  state TEXT NOT NULL, reason TEXT NOT NULL, input TEXT NOT NULL, token_ids BLOB NOT NULL,
  PRIMARY KEY (round, position), UNIQUE (round, prompt_id));
CREATE INDEX open_prompts ON prompts (round, position, prompt_id, state) WHERE state IN ('open', 'anchor');
CREATE TABLE candidates (round INTEGER, position INTEGER, sample INTEGER, prompt_id TEXT NOT NULL,
  model_id TEXT NOT NULL, cut INTEGER NOT NULL, score REAL, use TEXT NOT NULL, reason TEXT NOT NULL,
  logprob REAL NOT NULL, token_hash TEXT NOT NULL, token_ids BLOB NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY (round, position, sample));
CREATE INDEX open_candidates ON candidates (round, position, sample, prompt_id) WHERE score IS NULL AND reason = '';
CREATE TABLE votes (round INTEGER, position INTEGER, sample INTEGER, vote INTEGER, model_id TEXT NOT NULL,
  subject_hash TEXT NOT NULL, state TEXT NOT NULL, score REAL, logprob REAL NOT NULL, token_ids BLOB NOT NULL,
  text TEXT NOT NULL, PRIMARY KEY (round, position, sample, vote));
CREATE TABLE likelihoods (round INTEGER, position INTEGER, sample INTEGER, model_id TEXT NOT NULL, logprob REAL,
  reason TEXT NOT NULL, PRIMARY KEY (round, position, sample));
CREATE TABLE pairs (round INTEGER, position INTEGER, pair INTEGER, prompt_id TEXT NOT NULL, rule TEXT NOT NULL,
  outcome TEXT NOT NULL, chosen_sample INTEGER NOT NULL, rejected_sample INTEGER NOT NULL, chosen_score REAL NOT NULL,
  rejected_score REAL NOT NULL, chosen_tokens INTEGER NOT NULL, rejected_tokens INTEGER NOT NULL, consistency REAL, reason TEXT NOT NULL,
  PRIMARY KEY (round, position, pair));
CREATE TABLE round_counts (round INTEGER PRIMARY KEY, prompts INTEGER NOT NULL, new_prompts INTEGER NOT NULL, answered INTEGER NOT NULL,
  failed_prompts INTEGER NOT NULL,
  candidates INTEGER NOT NULL, tokens INTEGER NOT NULL, dropped INTEGER NOT NULL, not_judged INTEGER NOT NULL,
  anchors INTEGER NOT NULL, anchors_done INTEGER NOT NULL,
  votes INTEGER NOT NULL, parsed INTEGER NOT NULL, absent INTEGER NOT NULL,
  out_of_range INTEGER NOT NULL,
  score_0 INTEGER NOT NULL, score_1 INTEGER NOT NULL, score_2 INTEGER NOT NULL, score_3 INTEGER NOT NULL, score_4 INTEGER NOT NULL,
  score_5 INTEGER NOT NULL,
  scored INTEGER NOT NULL, unscored INTEGER NOT NULL, score_sum REAL NOT NULL, score_squares REAL NOT NULL,
  length_sum REAL NOT NULL, length_squares REAL NOT NULL, score_length REAL NOT NULL,
  variance_sum REAL NOT NULL,
  variances INTEGER NOT NULL, score_pairs INTEGER NOT NULL, score_ties INTEGER NOT NULL, pairs INTEGER NOT NULL,
  ties INTEGER NOT NULL, duplicates INTEGER NOT NULL, consistency_sum REAL NOT NULL, consistencies INTEGER NOT NULL);
CREATE TABLE evaluation_votes (model TEXT, answer INTEGER, vote INTEGER, model_id TEXT NOT NULL, text TEXT NOT NULL,
  state TEXT NOT NULL, score REAL, PRIMARY KEY (model, answer, vote));
CREATE TABLE evaluations (model TEXT PRIMARY KEY, metrics TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE jobs (job_id TEXT PRIMARY KEY, kind TEXT NOT NULL, round INTEGER NOT NULL, state TEXT NOT NULL,
  tries INTEGER NOT NULL, output_model TEXT NOT NULL, rows INTEGER NOT NULL, step INTEGER NOT NULL,
  total_steps INTEGER NOT NULL, first_loss REAL, loss REAL, margin REAL, accuracy REAL,
  chosen_logp_change REAL, rejected_logp_change REAL, tokens INTEGER NOT NULL,
  seconds REAL NOT NULL, message TEXT NOT NULL);
CREATE TABLE launches (launch_id TEXT PRIMARY KEY, program TEXT NOT NULL, epoch INTEGER NOT NULL, host TEXT NOT NULL,
  process_group INTEGER NOT NULL, started_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL, end TEXT NOT NULL);
CREATE TABLE events (sequence INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL, epoch INTEGER NOT NULL,
  round INTEGER NOT NULL, level TEXT NOT NULL, event TEXT NOT NULL, message TEXT NOT NULL);
CREATE TABLE item_faults (item_id TEXT PRIMARY KEY, round INTEGER NOT NULL, purpose TEXT NOT NULL,
  tries INTEGER NOT NULL, failed INTEGER NOT NULL, reason TEXT NOT NULL);
)sql",
                                                                                 R"sql(
CREATE TABLE evaluation_answers (model TEXT, prompt INTEGER, prompt_id TEXT NOT NULL, model_id TEXT NOT NULL,
  cut INTEGER NOT NULL, reason TEXT NOT NULL, token_hash TEXT NOT NULL, token_ids BLOB NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY (model, prompt));
CREATE TABLE comparisons (model TEXT, other TEXT, prompt INTEGER, backward INTEGER, vote INTEGER,
  model_id TEXT NOT NULL, subject_hash TEXT NOT NULL, state TEXT NOT NULL, verdict TEXT NOT NULL, prefers_first REAL,
  text TEXT NOT NULL, PRIMARY KEY (model, other, prompt, backward, vote));
CREATE TABLE held_out (model TEXT, answer INTEGER, model_id TEXT NOT NULL, tokens INTEGER NOT NULL, logprob REAL,
  reason TEXT NOT NULL, PRIMARY KEY (model, answer));
)sql",
                                                                                 R"sql(
CREATE TABLE meta_votes (round INTEGER, position INTEGER, sample INTEGER, first INTEGER, second INTEGER,
  model_id TEXT NOT NULL, subject_hash TEXT NOT NULL, state TEXT NOT NULL, verdict TEXT NOT NULL, prefers_first REAL,
  logprob REAL NOT NULL, token_ids BLOB NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY (round, position, sample, first, second));
CREATE TABLE judge_pairs (round INTEGER, position INTEGER, prompt_id TEXT NOT NULL, sample INTEGER NOT NULL,
  outcome TEXT NOT NULL, variance REAL NOT NULL, chosen_vote INTEGER NOT NULL, rejected_vote INTEGER NOT NULL,
  chosen_elo REAL NOT NULL, rejected_elo REAL NOT NULL, chosen_score REAL NOT NULL, rejected_score REAL NOT NULL,
  chosen_tokens INTEGER NOT NULL, rejected_tokens INTEGER NOT NULL, reason TEXT NOT NULL, judge_prompt TEXT NOT NULL,
  prompt_token_ids BLOB NOT NULL, PRIMARY KEY (round, position));
CREATE TABLE meta_counts (round INTEGER PRIMARY KEY, comparisons INTEGER NOT NULL, parsed INTEGER NOT NULL,
  first_wins INTEGER NOT NULL, second_wins INTEGER NOT NULL, both_orders INTEGER NOT NULL, flips INTEGER NOT NULL,
  judge_pairs INTEGER NOT NULL);
ALTER TABLE likelihoods RENAME TO likelihoods_before;
CREATE TABLE likelihoods (round INTEGER, position INTEGER, sample INTEGER, model TEXT, model_id TEXT NOT NULL,
  logprob REAL, reason TEXT NOT NULL, PRIMARY KEY (round, position, sample, model));
INSERT INTO likelihoods SELECT round, position, sample, 'M' || (round - 1), model_id, logprob, reason
  FROM likelihoods_before;
DROP TABLE likelihoods_before;
ALTER TABLE round_counts ADD COLUMN log_ratio_sum REAL NOT NULL DEFAULT 0;
ALTER TABLE round_counts ADD COLUMN log_ratios INTEGER NOT NULL DEFAULT 0;
)sql",
                                                                                 R"sql(
ALTER TABLE jobs ADD COLUMN selected_step INTEGER NOT NULL DEFAULT -1;
)sql"};

Result<int> Version(Database& database) {
  SRLM_ASSIGN_OR_RETURN(Query query, database.Prepare("PRAGMA user_version"));
  SRLM_RETURN_IF_ERROR(query.Step().status());
  int version = 0;
  query.Read(version);
  return version;
}

}  // namespace

Status CheckVersion(const Database& database, int version) {
  const auto found = [&] { return fmt::format("{}: version {} of the ledger", database.path(), version); };
  if (version > kSchemaVersion)
    return FailedPrecondition(
        fmt::format("{}, and this srlm knows up to {}; use a newer srlm", found(), kSchemaVersion));
  if (version < kOldestVersion)
    return FailedPrecondition(
        fmt::format("{}, made by an earlier srlm, whose rows this one cannot read; go on with that "
                    "srlm, or begin a new run in another folder",
                    found()));
  return OkStatus();
}

Status Migrate(Database& database) {
  SRLM_ASSIGN_OR_RETURN(int version, Version(database));
  if (version > 0) SRLM_RETURN_IF_ERROR(CheckVersion(database, version));
  if (version > 0 && version < kSchemaVersion)
    SRLM_RETURN_IF_ERROR(database.CopyTo(fmt::format("{}.v{}", database.path(), version)));
  while (version < kSchemaVersion) {
    const int next = version == 0 ? kOldestVersion : version + 1;
    SRLM_RETURN_IF_ERROR(database.Execute(
        fmt::format("BEGIN; {} PRAGMA user_version = {}; COMMIT", kSteps[next - kOldestVersion], next)));
    version = next;
  }
  return OkStatus();
}

}  // namespace srlm::ledger
