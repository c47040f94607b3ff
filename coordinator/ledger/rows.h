// The ledger's rows as structs. A name of a run's model is "M0", "M1", ..., of one that a job saved on its way
// "M2.step-200"; other models are "writer", "judge" and "evaluation judge".
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/data/prompt_input.h"
#include "common/data/vote_health.h"

namespace srlm::ledger {

using TokenIds = std::vector<int>;

/// A model folder that the run made or uses. Key: name.
struct ModelRow {
  std::string name;
  std::string model_id;
  std::string folder;  // relative to the run's folder when inside it, else absolute
  std::string job_id;  // that made it; empty for models from outside
};

/// Key: round. Round 0 is supervised fine-tuning.
struct RoundRow {
  int round = 0;
  int64_t started_ms = 0;
  int64_t ended_ms = 0;         // 0: not yet
  bool prompts_closed = false;  // every prompt of the round is in `prompts`
  bool pairs_closed = false;    // every prompt has its row in `pairs`
};

/// One try to write a new prompt. Key: round, attempt.
struct AttemptRow {
  int round = 0;
  int attempt = 0;  // index in the round, from 0
  int wave = 0;
  std::string model_id;                     // empty until it is written
  std::vector<std::string> demonstrations;  // prompt ids of the examples, in the order shown
  std::string text;                         // what the model wrote
  TokenIds token_ids;
  bool cut = false;  // ended at the token limit
  double logprob = 0;
  std::string state;        // asked, written, accepted, rejected, surplus, failed
  std::string instruction;  // taken out of the text
  std::string reason;       // of a rejection or failure: too_short, too_similar, ...
  std::string detail;       // the same for people
};

/// A prompt that a round answers. Key: round, position; prompt_id is unique in the round, too.
struct PromptRow {
  int round = 0;
  int position = 0;  // order in the round, from 0
  std::string prompt_id;
  bool is_new = false;  // written by a model; else given
  data::PromptInput input;
  TokenIds token_ids;  // as rendered for the round's model
  std::string state;   // open, anchor (only the anchor's answers are missing), answered, failed
  std::string reason;  // why it has no candidates or, answered, none of the anchor
};

struct OpenPrompt {
  int position = 0;
  std::string prompt_id;
  std::string state;  // open, anchor
};

struct CandidateKey {
  int position = -1;  // of its prompt
  int sample = -1;
  std::string prompt_id;
};

/// One answer. Key: round, position (of its prompt), sample. Samples from generation.samples on are the anchor's.
struct CandidateRow {
  int round = 0;
  int position = 0;
  int sample = 0;
  std::string prompt_id;
  std::string model_id;
  bool cut = false;             // ended at the token limit
  std::optional<double> score;  // mean of its parsed votes; none: not (yet) scored
  std::string use;              // chosen, rejected, between, unscored, cut; empty until pairs are made
  std::string reason;           // why it has no votes
  double logprob = 0;           // sum over token_ids at temperature 1
  std::string token_hash;       // SHA-256 of token_ids
  TokenIds token_ids;           // with the end-of-turn token when it was sampled
  std::string text;             // without the end-of-turn token
};

/// One judgement. Key: round, position, sample, vote.
struct VoteRow {
  int round = 0;
  int position = 0;
  int sample = 0;
  int vote = 0;
  std::string model_id;         // of the judge
  std::string subject_hash;     // token_hash of the candidate that was judged
  std::string state;            // parsed, absent, out_of_range
  std::optional<double> score;  // set exactly when parsed
  double logprob = 0;
  TokenIds token_ids;
  std::string text;
};

/// A candidate under an earlier model. Key: round, position, sample, model.
struct LikelihoodRow {
  int round = 0;
  int position = 0;
  int sample = 0;
  std::string model;  // "M0", ...
  std::string model_id;
  std::optional<double> logprob;  // sum over the candidate's tokens
  std::string reason;             // why there is none
};

/// A comparison of two judgements of a candidate, `first` and `second` of its votes, shown in this order. Key: round,
/// position, sample, first, second.
struct MetaVoteRow {
  int round = 0;
  int position = 0;
  int sample = 0;
  int first = 0;
  int second = 0;
  std::string model_id;
  std::string subject_hash;             // over the hashes of both judgements' tokens
  std::string state;                    // parsed, absent, failed
  std::string verdict;                  // a (the first), b, tie; set exactly when parsed, as the next
  std::optional<double> prefers_first;  // 0 to 1
  double logprob = 0;
  TokenIds token_ids;
  std::string text;  // what the model wrote; of a failed one the reason
};

/// What a round makes of the judgements of a prompt's candidate with the highest variance of votes. Key: round,
/// position.
struct JudgePairRow {
  int round = 0;
  int position = 0;
  std::string prompt_id;
  int sample = -1;         // of the candidate; -1: none has two votes that differ
  std::string outcome;     // paired, no_variance, not_compared, tie, same_text, too_long, over_share
  double variance = 0;     // of the candidate's votes
  int chosen_vote = -1;    // -1: there are none
  int rejected_vote = -1;  // as the next
  double chosen_elo = 0;
  double rejected_elo = 0;
  double chosen_score = 0;  // what the judgements say
  double rejected_score = 0;
  int chosen_tokens = 0;
  int rejected_tokens = 0;
  std::string reason;
  std::string judge_prompt;   // what the judge was asked; when paired, as the next
  TokenIds prompt_token_ids;  // the same as rendered for the round's model
};

/// A round's comparisons of judgements, counted when its judge pairs are made. Key: round.
struct MetaCounts {
  int round = 0;
  int64_t comparisons = 0;  // that were made
  int64_t parsed = 0;
  int64_t first_wins = 0;  // of the judgement that stood first
  int64_t second_wins = 0;
  int64_t both_orders = 0;  // pairs of judgements with a verdict in both orders
  int64_t flips = 0;        // of these: the same place won both times
  int64_t judge_pairs = 0;
};

/// The score of a vote, without its text.
struct VoteScore {
  int position = 0;
  int sample = 0;
  std::optional<double> score;
};

struct PairKey {
  int round = 0;
  int position = 0;
  int pair = 0;
  friend auto operator<=>(const PairKey&, const PairKey&) = default;
};

/// A pair that a round made of a prompt; or, as pair 0, why it made none. Key: round, position, pair.
struct PairRow {
  int round = 0;
  int position = 0;
  int pair = 0;  // of the prompt, from 0
  std::string prompt_id;
  std::string rule;        // extremes, length-controlled, anchored, positive
  std::string outcome;     // paired, tie, gap_too_small, too_few_candidates, same_text, not_better; positive: positive,
                           // none_good_enough
  int chosen_sample = -1;  // -1 unless paired
  int rejected_sample = -1;  // -1 with `positive`, too
  double chosen_score = 0;
  double rejected_score = 0;
  int chosen_tokens = 0;  // lengths of the two answers
  int rejected_tokens = 0;
  std::optional<double> consistency;  // of the two models' rankings of the prompt's answers, where they are wanted
  std::string reason;                 // for people: why these two, or why none
};

/// What a round has so far, kept with every change of its rows; counted anew in the rows' order when its pairs are
/// made. Key: round.
struct RoundCounts {
  int round = 0;
  int64_t prompts = 0;
  int64_t new_prompts = 0;
  int64_t answered = 0;        // prompts with candidates
  int64_t failed_prompts = 0;  // set aside
  int64_t candidates = 0;
  int64_t tokens = 0;      // of the candidates
  int64_t dropped = 0;     // candidates that get no votes because they were cut
  int64_t not_judged = 0;  // candidates whose votes were set aside
  // The anchor's answers are in none of these figures, which are about the round's model.
  int64_t anchors = 0;
  int64_t anchors_done = 0;  // scored, or with a reason why not
  data::VoteTally votes;
  int64_t pairs = 0;
  int64_t ties = 0;            // prompts whose best and worst scores are equal
  double consistency_sum = 0;  // over the prompts that have one
  int64_t consistencies = 0;
  int64_t duplicates = 0;    // candidates with the tokens of an earlier one of their prompt; counted with the pairs
  double log_ratio_sum = 0;  // over the candidates that have a likelihood under M0: their own less that
  int64_t log_ratios = 0;

  /// Prompts and candidates that wait for a result.
  int64_t open() const {
    return prompts - answered - failed_prompts + candidates - dropped - not_judged - votes.scored - votes.unscored +
           anchors - anchors_done;
  }
};

/// One judgement of a human-ranked answer. Key: model, answer, vote; vote -1 is the expected verdict.
struct EvaluationVoteRow {
  std::string model;  // that is measured: "M1", ...
  int answer = 0;     // row of the evaluation file, from 0
  int vote = 0;
  std::string model_id;
  std::string text;
  std::string state;  // parsed, absent, out_of_range, failed
  std::optional<double> score;
};

/// A model's answer to a prompt of data.evaluation_prompts, or of one that a job saved on its way to a prompt of
/// data.validation_prompts. Key: model, prompt.
struct EvaluationAnswerRow {
  std::string model;  // "M0", "M1", "M2.step-200", ...
  int prompt = 0;     // row of the file, from 0
  std::string prompt_id;
  std::string model_id;
  bool cut = false;        // ended at the token limit
  std::string reason;      // why there is none
  std::string token_hash;  // SHA-256 of token_ids
  TokenIds token_ids;
  std::string text;
};

/// What a judge said of the answers of two models to a prompt, in one order. Key: model, other, prompt, backward, vote;
/// vote -1 is the expected verdict.
struct ComparisonRow {
  std::string model;  // the newer one
  std::string other;
  int prompt = 0;         // row of the file that both answered, from 0
  bool backward = false;  // the other's answer stood first
  int vote = 0;
  std::string model_id;                 // of the judge
  std::string subject_hash;             // of both answers in their order
  std::string state;                    // parsed, absent, failed
  std::string verdict;                  // a (the answer that stood first), b, tie; set exactly when parsed
  std::optional<double> prefers_first;  // of an expected verdict
  std::string text;                     // what it said; failed: why not
};

/// How probable a model finds a person's held-out answer. Key: model, answer.
struct HeldOutRow {
  std::string model;
  int answer = 0;  // row of data.held_out, from 0
  std::string model_id;
  int64_t tokens = 0;             // with the end-of-turn token
  std::optional<double> logprob;  // sum over them
  std::string reason;             // why there is none
};

/// A training job. Key: job_id.
struct JobRow {
  std::string job_id;  // "sft"; "dpo-1", ... or "sft-1", ...
  std::string kind;    // sft, dpo
  int round = 0;
  std::string state;         // running, selecting (a round's model is chosen among those that it saved), done, failed
  int tries = 0;             // launches so far
  std::string output_model;  // "M1"
  int64_t rows = 0;          // of its data
  uint64_t step = 0;         // steps reported
  uint64_t total_steps = 0;
  std::optional<double> first_loss;
  std::optional<double> loss;    // of the last step, as the next two
  std::optional<double> margin;  // DPO
  std::optional<double> accuracy;
  std::optional<double> chosen_logp_change;  // of an answer's log-probability since the job began, last step's mean
  std::optional<double> rejected_logp_change;
  uint64_t tokens = 0;
  double seconds = 0;
  std::string message;         // of a failure
  int64_t selected_step = -1;  // after which the round's model was saved; -1: not chosen (yet)
};

/// A group of ranks that was started. Key: launch_id.
struct LaunchRow {
  std::string launch_id;
  std::string program;  // srlm-worker, srlm-trainer
  uint64_t epoch = 0;
  std::string host;
  int64_t process_group = 0;
  int64_t started_ms = 0;
  int64_t ended_ms = 0;
  std::string end;  // how it ended; empty while it runs
};

/// Something worth telling. Key: sequence.
struct EventRow {
  int64_t sequence = 0;
  int64_t time_ms = 0;  // since 1970, UTC
  uint64_t epoch = 0;
  int round = 0;
  std::string level;  // info, warning, error
  std::string event;  // snake case: round_began, item_failed, ...
  std::string message;
};

/// An item that was tried without success. Key: item_id.
struct ItemFaultRow {
  std::string item_id;
  int round = 0;
  std::string purpose;  // the purpose of the item (work.proto), in small letters
  int tries = 0;
  bool failed = false;  // set aside
  std::string reason;
};

}  // namespace srlm::ledger
