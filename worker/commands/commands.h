// The file commands of srlm-worker: JSON Lines in, JSON Lines out, one process, no coordinator. Every input is checked
// before the model's weights are read; the output appears whole or not at all. Rows that the model cannot do (too long)
// carry an "error" and the others go on. `compute`: where and with what this rank computes. `group`: the ranks that
// hold the model with this one, which alone reads and writes files; null: none.
#pragma once

#include "common/base/status.h"
#include "worker/commands/options.h"
#include "worker/engine/group.h"

namespace srlm::worker {

/// Samples answers: rows {"prompt_id", "sample", "text", "token_ids", "finish_reason", "logprob"}, in input order.
/// The draw of a token is a function of (seed, prompt_id, sample, position).
Status Generate(const GenerateOptions& options, const ComputeOptions& compute, GroupLeader* group);

/// Judges answers: rows {"id", "score", "votes": [{"text", "score", "state"}], "expected"}, in input order. Sampled:
/// the score is the mean of the parsed votes, null without one. Expected: the expected value over the digits 0..5
/// after "Score: ", in one forward pass.
Status Judge(const JudgeOptions& options, const ComputeOptions& compute, GroupLeader* group);

/// Compares two answers in both orders: rows {"id", "verdict", "prefers_a", "forward", "backward"}, in input order.
/// forward: response_a stood first; backward: response_b. verdict `a` or `b` when both orders prefer that answer, `tie`
/// when they disagree or say so, null when one has no verdict. Sampled: the votes of an order are counted. Expected:
/// the probabilities of the letters after "Verdict: [[", in one forward pass an order.
Status JudgePairs(const JudgeOptions& options, const ComputeOptions& compute, GroupLeader* group);

/// Log-probabilities of given responses, the end-of-turn token included: rows {"id", "logprob", "token_ids",
/// "token_logprobs"}, in input order; logprob is their sum in float64.
Status Logprobs(const LogprobsOptions& options, const ComputeOptions& compute, GroupLeader* group);

/// One row a device that this process sees: {"device", "name", "address", "memory_bytes", "free_bytes", "capability",
/// "numa_node", "bandwidth_gb_s", "multiprocessors", "libraries"}. Fails as device::ListDevices.
Status ShowDevices();

}  // namespace srlm::worker
