// How often a model's answers are preferred to another's: figures with n and a 95 % interval clustered by prompt.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "common/data/figure.h"
#include "common/data/pairwise_verdict.h"

namespace srlm::data {

/// Two answers to a prompt, x of the model that is measured and y of the other, compared in both orders.
struct ComparedAnswers {
  std::string prompt_id;
  OrderVerdict forward;      // x stood first
  OrderVerdict backward;     // y stood first
  int64_t characters_x = 0;  // Unicode code points
  int64_t characters_y = 0;
};

/// From the view of x. A comparison counts when both orders have a verdict; the others show in `judged`.
struct HeadToHead {
  int64_t prompts = 0;
  int64_t comparisons = 0;
  Figure judged;                      // over comparisons: share with a verdict in both orders
  Figure win;                         // over judged ones: x preferred in both orders
  Figure tie;                         // the judge said so, or the orders disagree
  Figure lose;                        // y preferred in both orders
  Figure win_rate;                    // a tie counts one half
  Figure win_rate_length_matched;     // over those whose lengths differ at most 1.3 times
  Figure win_rate_length_controlled;  // LengthControlledWinRate
  Figure preference;                  // mean preference for x, in [0, 1]: both orders' probabilities or votes
  Figure flipped;                     // one order said x, the other y
  Figure prefers_first;               // mean preference for the answer that stands first: 1/2 is a judge without a bias
  Figure longer_wins;                 // over judged ones with different lengths: the longer won; a tie counts one half
  Figure characters_x;                // mean length, over comparisons
  Figure characters_y;
};

/// `resamples` draws of the bootstrap are named by `seed`: the same input gives the same intervals.
HeadToHead ComputeHeadToHead(std::span<const ComparedAnswers> compared, uint64_t seed, int resamples = 1000);

/// An object with a field a member; figures as ToJson(Figure).
nlohmann::json ToJson(const HeadToHead& result);

}  // namespace srlm::data
