// The declaration of every field: key, meaning, limits, and whether a run may continue with another value. Parsing,
// --set, printing, comparing and docs/configuration.md all read this and nothing else.
#pragma once

#include "common/config/config.h"
#include "common/config/field.h"

namespace srlm::config {

template <class V>
void VisitFields(V& v, RoundsConfig& c) {
  v.Field(c.iterations,
          {.key = "iterations",
           .doc = "Rounds of DPO after SFT: 2 make M2 and M3. A run that is done goes on when it is raised.",
           .min = 0,
           .max = 1000,
           .continuation = Continuation::kMayChange});
}

template <class V>
void VisitFields(V& v, DataConfig& c) {
  v.Field(c.ift, {.key = "ift",
                  .doc = "Seed instructions with answers: JSON Lines of SFT rows. Their first messages are also the "
                         "examples that new prompts are written from.",
                  .text = TextKind::kPath});
  v.Field(c.eft, {.key = "eft",
                  .doc = "Seed judgements: JSON Lines of prompt, response, justification, score. Empty: M1 is trained "
                         "without.",
                  .text = TextKind::kPath});
  v.Field(c.prompts, {.key = "prompts",
                      .doc = "Given prompts, taken in file order, each once; a round takes per_round - new_per_round.",
                      .text = TextKind::kPath});
  v.Field(c.evaluation, {.key = "evaluation",
                         .doc = "Answers that people ranked, on which each model's judging is measured. Empty: not "
                                "measured.",
                         .text = TextKind::kPath});
  v.Field(c.evaluation_prompts, {.key = "evaluation_prompts",
                                 .doc = "Prompts that every model answers, M0 too; each model's answers are compared "
                                        "with those of the model before. Empty: none.",
                                 .text = TextKind::kPath});
  v.Field(c.validation_prompts,
          {.key = "validation_prompts",
           .doc = "With dpo.selection_steps: prompts that the models which a job saves answer, to "
                  "choose the round's among them. Disjoint from what is trained on and from "
                  "data.evaluation_prompts.",
           .text = TextKind::kPath});
  v.Field(c.held_out, {.key = "held_out",
                       .doc = "People's answers that nobody trains on, in the forms of data.ift: how probable every "
                              "model finds them, M0 too. Empty: not measured.",
                       .text = TextKind::kPath});
}

template <class V>
void VisitFields(V& v, PromptsConfig& c) {
  v.Field(c.per_round, {.key = "per_round", .doc = "Prompts of a round, given and new.", .min = 1, .max = 1e7});
  v.Field(c.new_per_round, {.key = "new_per_round", .doc = "Of these, how many a model writes.", .min = 0, .max = 1e7});
  v.Field(c.wave_size,
          {.key = "wave_size",
           .doc = "New prompts that are asked for at once. Examples are drawn from the pool as the previous "
                  "wave left it, so that timing changes nothing.",
           .min = 1,
           .max = 1e6});
  v.Field(c.writer, {.key = "writer",
                     .doc = "Who writes new prompts: `policy` (the round's model), `base` (M0) or a model folder.",
                     .text = TextKind::kPathOrModel});
  v.Field(c.demonstrations_seed,
          {.key = "demonstrations_seed", .doc = "Examples from the seed instructions.", .min = 0, .max = 64});
  v.Field(c.demonstrations_generated,
          {.key = "demonstrations_generated",
           .doc = "Examples from the new prompts accepted so far; seeds stand in while there are too few.",
           .min = 0,
           .max = 64});
  v.Field(c.temperature, {.key = "temperature", .doc = "Sampling temperature; 0 is greedy.", .min = 0, .max = 10});
  v.Field(c.top_p,
          {.key = "top_p", .doc = "Nucleus of the distribution that is sampled from.", .min = 0.001, .max = 1});
  v.Field(c.max_new_tokens, {.key = "max_new_tokens", .doc = "Longest text, in tokens.", .min = 1, .max = 131072});
  v.Field(c.rouge_l_max,
          {.key = "rouge_l_max",
           .doc = "A new prompt with a higher ROUGE-L F to a seed, a given or an accepted prompt is left out.",
           .min = 0,
           .max = 1});
  v.Field(c.min_words, {.key = "min_words", .doc = "Fewest words of a new prompt.", .min = 1, .max = 10000});
  v.Field(c.max_words, {.key = "max_words", .doc = "Most words of a new prompt.", .min = 1, .max = 100000});
  v.Field(c.blacklist, {.key = "blacklist",
                        .doc = "Words, or words in a row, that a new prompt must not hold; whole words in any case."});
  v.Field(
      c.max_attempts_per_new_prompt,
      {.key = "max_attempts_per_new_prompt",
       .doc =
           "A round stops asking after this many attempts for each new prompt it wants, and goes on with those it has.",
       .min = 1,
       .max = 1000});
}

template <class V>
void VisitFields(V& v, GenerationConfig& c) {
  v.Field(c.samples, {.key = "samples", .doc = "Candidates of a prompt.", .min = 2, .max = 1024});
  v.Field(c.temperature, {.key = "temperature", .doc = "Sampling temperature; 0 is greedy.", .min = 0, .max = 10});
  v.Field(c.top_p,
          {.key = "top_p", .doc = "Nucleus of the distribution that is sampled from.", .min = 0.001, .max = 1});
  v.Field(c.max_new_tokens, {.key = "max_new_tokens", .doc = "Longest answer, in tokens.", .min = 1, .max = 131072});
  v.Field(c.cut_candidates, {.key = "cut_candidates",
                             .doc = "Answers that ended at max_new_tokens: `drop` leaves them out of pairs, `keep` "
                                    "treats them as any other."});
}

template <class V>
void VisitFields(V& v, JudgeConfig& c) {
  v.Field(c.judge_template, {.key = "template",
                             .doc = "A text file with {prompt} and {response} once each. Empty: the built-in additive "
                                    "5-point template.",
                             .text = TextKind::kPath});
  v.Field(c.model, {.key = "model",
                    .doc = "Who judges: `policy` (the round's model) or a model folder, the same in every round.",
                    .text = TextKind::kPathOrPolicy});
  v.Field(c.verdict, {.key = "verdict",
                      .doc = "`sampled`: the mean of the votes' scores. `digit`: the mean of votes that are drawn "
                             "from the digits after `Score: ` alone, all in one pass. `expected`: one pass, the "
                             "expected value over these digits. `program`: the scores that judge.program gives."});
  v.Field(c.program, {.key = "program",
                      .doc = "With `verdict: program`: a program and its arguments. It reads a round's candidates as "
                             "JSON Lines and writes their scores (docs/formats.md). Words with `${` or beginning with "
                             "`./`, `../` or `~` are paths.",
                      .text = TextKind::kCommand});
  v.Field(c.program_timeout_s, {.key = "program_timeout_s",
                                .doc = "Seconds that judge.program may take for a round; then it is ended and the run "
                                       "pauses.",
                                .min = 0.1,
                                .max = 1000000,
                                .continuation = Continuation::kMayChange});
  v.Field(c.votes, {.key = "votes", .doc = "Judgements of a candidate, `sampled` or `digit`.", .min = 1, .max = 1024});
  v.Field(c.temperature, {.key = "temperature", .doc = "Sampling temperature; 0 is greedy.", .min = 0, .max = 10});
  v.Field(c.top_p, {.key = "top_p",
                    .doc = "Nucleus of the distribution that is sampled from; not of `digit`.",
                    .min = 0.001,
                    .max = 1});
  v.Field(c.max_new_tokens, {.key = "max_new_tokens", .doc = "Longest judgement, in tokens.", .min = 1, .max = 131072});
  v.Field(c.min_parse_rate, {.key = "min_parse_rate",
                             .doc = "The run pauses when a smaller share of sampled votes has a score.",
                             .min = 0,
                             .max = 1,
                             .continuation = Continuation::kMayChange});
}

template <class V>
void VisitFields(V& v, MetaJudgeConfig& c) {
  v.Field(c.enabled, {.key = "enabled",
                      .doc = "Whether a round also trains on pairs of judgements. Needs `judge.verdict: sampled`, two "
                             "votes or more, and `judge.model: policy`."});
  v.Field(c.meta_template, {.key = "template",
                            .doc = "A text file with {judge_prompt}, {judgement_a} and {judgement_b} once each. Empty: "
                                   "the built-in one.",
                            .text = TextKind::kPath});
  v.Field(c.verdict, {.key = "verdict",
                      .doc = "`sampled`: what the model writes ends with [[A]], [[B]] or [[C]]. `expected`: the more "
                             "probable one of A and B after the opened verdict, in one pass."});
  v.Field(c.temperature,
          {.key = "temperature", .doc = "sampled: sampling temperature; 0 is greedy.", .min = 0, .max = 10});
  v.Field(
      c.top_p,
      {.key = "top_p", .doc = "sampled: nucleus of the distribution that is sampled from.", .min = 0.001, .max = 1});
  v.Field(c.max_new_tokens,
          {.key = "max_new_tokens", .doc = "sampled: longest comparison, in tokens.", .min = 1, .max = 131072});
  v.Field(c.max_prompts, {.key = "max_prompts",
                          .doc = "Most prompts of a round whose judgements are compared, those with the highest "
                                 "variance of votes; n judgements take n (n - 1) comparisons. 0: all.",
                          .min = 0,
                          .max = 1e7});
  v.Field(c.max_share, {.key = "max_share",
                        .doc = "Most that judgements may be of a round's own pairs, as a share.",
                        .min = 0.001,
                        .max = 0.9});
  v.Field(c.max_chosen_tokens,
          {.key = "max_chosen_tokens",
           .doc = "A pair whose chosen judgement is longer is left out: comparing favours length. 0: no limit.",
           .min = 0,
           .max = 131072});
}

template <class V>
void VisitFields(V& v, EvaluationConfig& c) {
  v.Field(c.verdict,
          {.key = "verdict", .doc = "How the ranked answers are scored: `expected` or `sampled`, as in judge."});
  v.Field(c.sampled_votes, {.key = "sampled_votes",
                            .doc = "Sampled judgements of each ranked answer besides, from which the parse rate is "
                                   "counted; with `verdict: sampled` they are the score. 0: none.",
                            .min = 0,
                            .max = 1024});
  v.Field(c.allow_overlap, {.key = "allow_overlap",
                            .doc = "Measure on data.evaluation, data.evaluation_prompts, data.validation_prompts and "
                                   "data.held_out although prompts of them are in data.ift, data.eft or "
                                   "data.prompts, and take new prompts that overlap with these."});
  v.Field(c.temperature, {.key = "temperature",
                          .doc = "Of the answers to data.evaluation_prompts and data.validation_prompts; 0 is greedy.",
                          .min = 0,
                          .max = 10});
  v.Field(c.top_p, {.key = "top_p", .doc = "Nucleus that these answers are sampled from.", .min = 0.001, .max = 1});
  v.Field(c.max_new_tokens,
          {.key = "max_new_tokens", .doc = "Longest of these answers, in tokens.", .min = 1, .max = 131072});
  v.Field(c.judge, {.key = "judge",
                    .doc = "Who compares two models' answers: `policy` (the newer of the two; of those that a job "
                           "saves, the model that it trains) or a model folder, the same for all.",
                    .text = TextKind::kPathOrPolicy});
  v.Field(c.pairwise_template, {.key = "pairwise_template",
                                .doc = "A text file with {prompt}, {response_a} and {response_b} once each. Empty: "
                                       "the built-in one.",
                                .text = TextKind::kPath});
  v.Field(c.comparison, {.key = "comparison",
                         .doc = "How two answers are compared, in both orders: `expected`, by the probabilities of A "
                                "and B, or `sampled`, by votes drawn as judge's are."});
  v.Field(c.comparison_votes, {.key = "comparison_votes", .doc = "Sampled votes an order.", .min = 1, .max = 1024});
}

template <class V>
void VisitFields(V& v, PairsConfig& c) {
  v.Field(c.rule, {.key = "rule",
                   .doc = "`extremes`: the highest score of a prompt against its lowest. `length-controlled`: the "
                          "shortest of its best answers against the longest of its worst. `anchored`: its best "
                          "answer against the worst that an earlier model gives (pairs.anchor). `positive`: no pairs; "
                          "the round trains on its good answers as SFT does, with the values of sft."});
  v.Field(c.rho,
          {.key = "rho",
           .doc = "length-controlled: the best answers are those whose score is within this share of the prompt's "
                  "range (highest minus lowest score) of the highest, the worst those within it of the lowest.",
           .min = 0,
           .max = 0.49});
  v.Field(c.min_gap, {.key = "min_gap",
                      .doc = "Least difference of the two scores; equal scores never make a pair.",
                      .min = 0,
                      .max = 5});
  v.Field(c.max_per_prompt, {.key = "max_per_prompt",
                             .doc = "Most pairs of a prompt: the rule is applied again to the answers that are left.",
                             .min = 1,
                             .max = 512});
  v.Field(c.anchor,
          {.key = "anchor", .doc = "anchored: who gives the answers that are rejected, `M1` (the paper's) or `M0`."});
  v.Field(c.anchor_samples, {.key = "anchor_samples",
                             .doc = "anchored: answers of that model to each prompt, judged like the others.",
                             .min = 1,
                             .max = 1024});
  v.Field(c.positive_min_score, {.key = "positive_min_score",
                                 .doc = "positive: least score of an answer that is trained on.",
                                 .min = 0,
                                 .max = 5});
  v.Field(c.soft_labels, {.key = "soft_labels",
                          .doc = "`none`: a pair's order is certain. `cream`: its probability is how far the round's "
                                 "model and the one before rank the round's answers alike (arXiv 2410.12735)."});
  v.Field(c.earlier_share, {.key = "earlier_share",
                            .doc = "Share of the rows that a round trains on that are pairs of earlier rounds, drawn "
                                   "among all of them.",
                            .min = 0,
                            .max = 0.99});
  v.Field(c.min_pairs_per_round, {.key = "min_pairs_per_round",
                                  .doc = "With fewer pairs the run pauses before training.",
                                  .min = 1,
                                  .max = 1e7,
                                  .continuation = Continuation::kMayChange});
}

/// The fields that SFT and DPO share.
template <class V>
void VisitOptimiser(V& v, OptimiserConfig& c) {
  v.Field(c.learning_rate, {.key = "learning_rate", .doc = "Highest learning rate.", .min = 0, .max = 10});
  v.Field(c.final_learning_rate, {.key = "final_learning_rate",
                                  .doc = "Learning rate at the last step of a cosine schedule.",
                                  .min = 0,
                                  .max = 10});
  v.Field(c.schedule, {.key = "schedule", .doc = "`cosine` from the highest to the final rate, or `constant`."});
  v.Field(c.warmup_ratio,
          {.key = "warmup_ratio", .doc = "Share of the steps in which the rate rises from 0.", .min = 0, .max = 1});
  v.Field(c.epochs, {.key = "epochs",
                     .doc = "Passes over the data; may be a fraction. 0: none, the next model is this one (with sft: "
                            "M1 is M0, which was trained before).",
                     .min = 0,
                     .max = 10000});
  v.Field(c.global_batch, {.key = "global_batch",
                           .doc = "Rows (SFT) or pairs (DPO) of one optimiser step over all ranks.",
                           .min = 1,
                           .max = 1e6});
  v.Field(c.weight_decay, {.key = "weight_decay", .doc = "AdamW's decoupled weight decay.", .min = 0, .max = 10});
  v.Field(c.adam_beta1, {.key = "adam_beta1", .doc = "Decay of the mean of gradients.", .min = 0, .max = 0.999999});
  v.Field(c.adam_beta2,
          {.key = "adam_beta2", .doc = "Decay of the mean of squared gradients.", .min = 0, .max = 0.99999999});
  v.Field(c.max_grad_norm, {.key = "max_grad_norm",
                            .doc = "Gradients are scaled down to this norm; 0 leaves them as they are.",
                            .min = 0,
                            .max = 1e9});
  v.Field(c.dropout,
          {.key = "dropout",
           .doc = "Share of what attention and MLP add to the hidden state that is dropped, in training alone "
                  "(the paper: 0.1). DPO's reference drops nothing.",
           .min = 0,
           .max = 0.9});
  v.Field(c.micro_batch_tokens, {.key = "micro_batch_tokens",
                                 .doc = "Tokens that a rank takes through the model at once; memory, not results.",
                                 .min = 16,
                                 .max = 1e8,
                                 .continuation = Continuation::kMayChange});
  v.Field(c.activation_checkpointing,
          {.key = "activation_checkpointing",
           .doc = "`block`: keep a block's input alone and compute the block again in the backward pass, for less "
                  "memory and a third more time; `none`: keep what backward needs.",
           .continuation = Continuation::kMayChange});
}

template <class V>
void VisitFields(V& v, LoraConfig& c) {
  v.Field(c.rank,
          {.key = "rank",
           .doc = "Rank of the adapters that are trained in place of the model, and merged into the next one; 0: "
                  "none, the model itself is trained.",
           .min = 0,
           .max = 4096});
  v.Field(c.alpha, {.key = "alpha", .doc = "A change is alpha / rank times B A.", .min = 1e-3, .max = 1e6});
  v.Field(c.targets, {.key = "targets",
                      .doc = "Matrices of each block with adapters, by Hugging Face's names: q_proj, k_proj, v_proj, "
                             "o_proj, gate_proj, up_proj, down_proj."});
}

template <class V>
void VisitFields(V& v, SftConfig& c) {
  VisitOptimiser(v, c);
}

template <class V>
void VisitFields(V& v, DpoConfig& c) {
  VisitOptimiser(v, c);
  v.Field(c.loss, {.key = "loss", .doc = "`sigmoid`: DPO; `ipo`: identity preference optimisation."});
  v.Field(c.beta, {.key = "beta", .doc = "Strength of the pull to the reference model.", .min = 1e-6, .max = 100});
  v.Field(c.label_smoothing, {.key = "label_smoothing",
                              .doc = "How often the rejected answer is taken to be the better one (conservative DPO).",
                              .min = 0,
                              .max = 0.5});
  v.Field(c.length_normalised, {.key = "length_normalised",
                                .doc = "Each answer's log-ratio to the reference is divided by its tokens; wants a "
                                       "larger beta."});
  v.Field(c.reference,
          {.key = "reference",
           .doc = "Reference log-probabilities: `sampler` as recorded while sampling, `trainer` in a pass "
                  "of its own; `auto`: with `device: cuda` trainer, since the two round differently there, "
                  "else sampler."});
  v.Field(c.nll_weight, {.key = "nll_weight",
                         .doc = "Added to a pair's loss: so many times the chosen answer's negative log-probability a "
                                "token. 0: nothing.",
                         .min = 0,
                         .max = 1000});
  v.Field(c.mix, {.key = "mix",
                  .doc = "Seed rows that every step trains on beside its pairs, as SFT does: `eft`, `ift`, `both`, or "
                         "`none`."});
  v.Field(c.mix_share, {.key = "mix_share",
                        .doc = "Seed rows for each pair: with global_batch 16 and 0.5, 8 rows a step.",
                        .min = 0,
                        .max = 1000});
  v.Field(c.mix_weight, {.key = "mix_weight",
                         .doc = "Factor of the seed rows' loss (mean over the answer tokens of a step's rows).",
                         .min = 0,
                         .max = 1000});
  v.Field(c.selection_steps,
          {.key = "selection_steps",
           .doc = "A job saves its model after every so many steps and after the last one, and the round's is the one "
                  "before the first that does not win against it on data.validation_prompts. 0: the last one.",
           .min = 0,
           .max = 1e9});
}

template <class V>
void VisitFields(V& v, HealthConfig& c) {
  v.Field(
      c.rules,
      {.key = "rules",
       .doc = "Limits of a round's figures, each `FIGURE > NUMBER: ACTION` or with `<`. `warn`: an event; `pause`: "
              "the run pauses before it trains on the round; `stop`: the run ends there, and names its best model. Of "
              "several that are broken the severest decides. A rule on a figure that the run never measures is "
              "refused, unless it is one of the default.",
       .continuation = Continuation::kMayChange});
  v.Field(c.kl_prompts, {.key = "kl_prompts",
                         .doc = "Prompts of a round whose first candidate's log-probability under M0 is measured, too, "
                                "for the figure kl_from_m0. 0: none.",
                         .min = 0,
                         .max = 1000000});
}

template <class V>
void VisitFields(V& v, WorkersConfig& c) {
  constexpr auto kFree = Continuation::kMayChange;
  v.Field(c.replicas, {.key = "replicas",
                       .doc = "Copies of the model that generate and judge, one MPI job each.",
                       .min = 1,
                       .max = 4096,
                       .continuation = kFree});
  v.Field(c.threads,
          {.key = "threads",
           .doc = "Threads of a replica's rank. 0: the coordinator's cores divided by the ranks on a host; of a "
                  "worker started by hand, all cores that it may use (--threads says otherwise).",
           .min = 0,
           .max = 1024,
           .continuation = kFree});
  v.Field(
      c.tensor_parallel,
      {.key = "tensor_parallel",
       .doc = "Ranks that hold one model together, each a part of every matrix; a replica has so many. It must divide "
              "the model's heads, and divide its key-value heads or be a multiple of them. Another value rounds "
              "differently.",
       .min = 1,
       .max = 1024});
  v.Field(c.rank_timeout_s, {.key = "rank_timeout_s",
                             .doc = "With tensor_parallel: longest wait of a replica's rank for the others in a step.",
                             .min = 1,
                             .max = 1e6,
                             .continuation = kFree});
  v.Field(c.hosts,
          {.key = "hosts",
           .doc = "Hosts of the replicas, which take them in turn; `name:n` has room for n ranks, a name alone "
                  "for a replica. Empty: launcher.hosts.",
           .continuation = kFree});
  v.Field(c.max_batch, {.key = "max_batch",
                        .doc = "Sequences that a replica decodes at once.",
                        .min = 1,
                        .max = 4096,
                        .continuation = kFree});
  v.Field(c.kv_cache_mib, {.key = "kv_cache_mib",
                           .doc = "Memory for keys and values of each rank of a replica, in MiB.",
                           .min = 1,
                           .max = 1 << 24,
                           .continuation = kFree});
  v.Field(c.prefill_chunk_tokens, {.key = "prefill_chunk_tokens",
                                   .doc = "Prompt tokens that go through the model beside one decoding step.",
                                   .min = 1,
                                   .max = 1 << 20,
                                   .continuation = kFree});
  v.Field(c.page_tokens, {.key = "page_tokens",
                          .doc = "Tokens of a cache page; a multiple of 16.",
                          .min = 16,
                          .max = 4096,
                          .continuation = kFree});
  v.Field(c.same_arithmetic,
          {.key = "same_arithmetic",
           .doc = "Refuse workers whose processors or libraries round differently from those that have worked for the "
                  "run: its results would depend on who made them.",
           .continuation = kFree});
}

template <class V>
void VisitFields(V& v, TrainerConfig& c) {
  constexpr auto kFree = Continuation::kMayChange;
  v.Field(c.ranks,
          {.key = "ranks", .doc = "MPI ranks of a training job.", .min = 1, .max = 4096, .continuation = kFree});
  v.Field(c.hosts,
          {.key = "hosts", .doc = "Hosts of a training job's ranks. Empty: launcher.hosts.", .continuation = kFree});
  v.Field(c.threads, {.key = "threads",
                      .doc = "Threads of a rank; 0: the host's cores divided by the job's ranks on it.",
                      .min = 0,
                      .max = 1024,
                      .continuation = kFree});
  v.Field(c.sharding,
          {.key = "sharding",
           .doc = "What a rank holds its part of only: `none`; the `optimizer`'s state (ZeRO-1); weights and gradients "
                  "too (`full`: ZeRO-3, FSDP), where a block's weights are gathered before it runs.",
           .continuation = kFree});
  v.Field(c.trace, {.key = "trace",
                    .doc = "Write what each rank computed, waited for and sent, and when, to RUN/jobs/JOB/trace, for "
                           "Perfetto or chrome://tracing; of the launch that ends the job.",
                    .continuation = kFree});
  v.Field(c.checkpoint_steps, {.key = "checkpoint_steps",
                               .doc = "Optimiser steps between checkpoints, and one at the end; 0: none.",
                               .min = 0,
                               .max = 1e9,
                               .continuation = kFree});
  v.Field(c.keep_checkpoints, {.key = "keep_checkpoints",
                               .doc = "Checkpoints with optimiser state that stay on disk.",
                               .min = 1,
                               .max = 1000,
                               .continuation = kFree});
  v.Field(c.rank_timeout_s,
          {.key = "rank_timeout_s",
           .doc = "Longest wait of a rank for the others, without the time of rank 0's reports and saved model; "
                  "longer than a rank takes for its part of a step.",
           .min = 1,
           .max = 1e6,
           .continuation = kFree});
  v.Field(c.silence_timeout_s,
          {.key = "silence_timeout_s",
           .doc = "A job that reports nothing for so long is ended and started again; longer than loading the model, a "
                  "step or a checkpoint takes.",
           .min = 1,
           .max = 1e6,
           .continuation = kFree});
  v.Field(
      c.stop_timeout_s,
      {.key = "stop_timeout_s",
       .doc =
           "Seconds in which a job that is told to stop (the run is paused, cancelled or stopped) must have ended its "
           "step and written a checkpoint; then it is ended, and goes on from an earlier one.",
       .min = 1,
       .max = 1e6,
       .continuation = kFree});
}

template <class V>
void VisitFields(V& v, CoordinatorConfig& c) {
  constexpr auto kFree = Continuation::kMayChange;
  v.Field(c.address,
          {.key = "address",
           .doc = "Where the coordinator listens, `host:port`; port 0 takes a free one. 0.0.0.0 listens on all "
                  "of this host's addresses. With security off: loopback only.",
           .continuation = kFree});
  v.Field(
      c.advertise,
      {.key = "advertise",
       .doc = "What others are told to connect to: a host, or `host:port` where the port is forwarded. Empty: where "
              "it listens, and this host's name when that is all addresses.",
       .continuation = kFree});
  v.Field(c.lease_items,
          {.key = "lease_items", .doc = "Most items of one lease.", .min = 1, .max = 65536, .continuation = kFree});
  v.Field(c.lease_timeout_s, {.key = "lease_timeout_s",
                              .doc = "Seconds after which items of a worker that made no progress are leased again.",
                              .min = 0.1,
                              .max = 86400,
                              .continuation = kFree});
  v.Field(c.commit_ms, {.key = "commit_ms",
                        .doc = "Longest wait of a result for its commit, in milliseconds.",
                        .min = 0,
                        .max = 10000,
                        .continuation = kFree});
  v.Field(c.commit_results,
          {.key = "commit_results", .doc = "Most results of one commit.", .min = 1, .max = 1e6, .continuation = kFree});
  v.Field(c.max_item_tries, {.key = "max_item_tries",
                             .doc = "Tries of an item before it is set aside with its reason; the last one is alone.",
                             .min = 1,
                             .max = 100,
                             .continuation = kFree});
  v.Field(c.relaunch_backoff_s, {.key = "relaunch_backoff_s",
                                 .doc = "Wait before a group that ended is started again; doubles each time.",
                                 .min = 0,
                                 .max = 86400,
                                 .continuation = kFree});
  v.Field(
      c.relaunch_backoff_max_s,
      {.key = "relaunch_backoff_max_s", .doc = "Longest such wait.", .min = 0, .max = 86400, .continuation = kFree});
  v.Field(c.max_relaunches, {.key = "max_relaunches",
                             .doc = "Starts again of a group without any progress between, after which the run pauses.",
                             .min = 0,
                             .max = 1e6,
                             .continuation = kFree});
  v.Field(c.orphan_timeout_s, {.key = "orphan_timeout_s",
                               .doc = "Seconds that a worker looks for a lost coordinator before it ends.",
                               .min = 1,
                               .max = 1e6,
                               .continuation = kFree});
  v.Field(c.min_free_mib,
          {.key = "min_free_mib",
           .doc = "With less free space on a disk of the run, in MiB, it waits before anything fails; 0: only when "
                  "something has failed.",
           .min = 0,
           .max = 1e9,
           .continuation = kFree});
}

template <class V>
void VisitFields(V& v, LauncherConfig& c) {
  constexpr auto kFree = Continuation::kMayChange;
  v.Field(c.kind,
          {.key = "kind",
           .doc = "`local` starts workers and trainers with mpirun; `slurm` starts them as steps of the Slurm job that "
                  "the coordinator runs in; `none` waits for some that are started by hand.",
           .continuation = kFree});
  v.Field(c.profile, {.key = "profile",
                      .doc = "`laptop`: ranks may outnumber cores and are not bound; `cluster`: mpirun's own defaults.",
                      .continuation = kFree});
  v.Field(c.hosts, {.key = "hosts",
                    .doc = "Hosts of workers and trainers, each `name` or `name:slots`; they see the run's folder and "
                           "the models. Empty: the coordinator's own. Needs `profile: cluster`, and a "
                           "coordinator.address that they reach.",
                    .continuation = kFree});
  v.Field(c.rsh_agent, {.key = "rsh_agent",
                        .doc = "What mpirun calls to start its part on another host, as `AGENT HOST COMMAND`. Empty: "
                               "ssh.",
                        .continuation = kFree});
  v.Field(c.command, {.key = "command",
                      .doc = "How ranks are started, with {ranks} and {program} and, where hosts are named, "
                             "{hostfile}; with `slurm` {name}, {nodes}, {nodelist} and {cpus}. "
                             "Empty: mpirun as the profile says.",
                      .continuation = kFree});
  v.Field(c.register_timeout_s, {.key = "register_timeout_s",
                                 .doc = "Seconds in which a started worker must have called; then its group is ended.",
                                 .min = 1,
                                 .max = 86400,
                                 .continuation = kFree});
  v.Field(c.drain_s, {.key = "drain_s",
                      .doc = "With `slurm`: seconds before the end of the job at which the run hands in what it holds, "
                             "saves a checkpoint and puts the job back into the queue; half of the job's time where "
                             "that is less.",
                      .min = 1,
                      .max = 86400,
                      .continuation = kFree});
}

/// The whole configuration.
template <class V>
void VisitFields(V& v, RunConfig& c) {
  v.Field(c.name, {.key = "name",
                   .doc = "The run's name; its folder is runs/<name> unless --run-dir says otherwise.",
                   .continuation = Continuation::kMayChange});
  v.Field(c.seed, {.key = "seed", .doc = "Seed of every random number.", .min = 0, .max = 9007199254740992.0});
  v.Field(c.model, {.key = "model",
                    .doc = "M0: a Hugging Face model folder with config.json, weights and tokenizer.",
                    .text = TextKind::kPath});
  v.Field(
      c.special_tokens_in_text,
      {.key = "special_tokens_in_text",
       .doc = "Special tokens spelled out in a user's text: `text` encodes their characters, `parse` the tokens (as "
              "Hugging Face does)."});
  v.Field(c.chat_template, {.key = "chat_template",
                            .doc = "A chat template file (Jinja) for a model without one. Empty: the model's own.",
                            .text = TextKind::kPath});
  v.Field(c.security,
          {.key = "security",
           .doc = "`tls`: every connection is encrypted, and callers show keys of RUN/secrets; `off`: whoever reaches "
                  "the port, which is then on loopback only, may do everything.",
           .continuation = Continuation::kMayChange});
  v.Field(c.device,
          {.key = "device",
           .doc = "What workers and trainers compute on: `cpu`, or `cuda` through the plug-in of `make cuda`, "
                  "each rank on a device of its own. It has not run on a device yet."});
  v.Field(c.dtype, {.key = "dtype",
                    .doc = "How matrices, keys and values are held while they are computed with; `auto`: bfloat16 on "
                           "cuda, float32 on cpu. Training keeps float32 weights beside them."});
  v.Section("run", c.run, "The run as a whole.");
  v.Section("data", c.data, "Input files.");
  v.Section("prompts", c.prompts, "Prompts of a round and the writing of new ones (8-shot self-instruct).");
  v.Section("generation", c.generation, "Candidates.");
  v.Section("judge", c.judge, "Judgements of candidates.");
  v.Section("meta_judge", c.meta_judge, "Pairs of judgements: the model compares its own judgements of an answer.");
  v.Section("evaluation", c.evaluation,
            "Measuring each model: its judging on data.evaluation, its answers to data.evaluation_prompts.");
  v.Section("pairs", c.pairs, "Preference pairs.");
  v.Section("sft", c.sft, "Training of M1.");
  v.Section("dpo", c.dpo, "Training of M2, M3, ...");
  v.Section("lora", c.lora, "Low-rank adapters in place of the whole model, in SFT and DPO.");
  v.Section("health", c.health, "What is watched in a round, and what follows; the figures: method.md, Health.");
  v.Section("workers", c.workers, "Programs that generate and judge.");
  v.Section("trainer", c.trainer, "The training program.");
  v.Section("coordinator", c.coordinator, "The coordinator.");
  v.Section("launcher", c.launcher, "Who starts the other programs.");
}

}  // namespace srlm::config
