// How much text a run reads and writes: counted in its files where they are there, given by hand, or assumed.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/config/config.h"
#include "coordinator/rounds/inputs.h"

namespace srlm::plan {

/// Where a number comes from, for people.
enum class Source { kGiven, kCounted, kAssumed };

struct Quantity {
  double value = 0;
  Source source = Source::kAssumed;
};

/// Tokens are means over rows.
struct Lengths {
  Quantity prompt_tokens;       // of a prompt through the chat template
  Quantity prompt_shared;       // of these, those that all prompts begin with: computed once
  Quantity answer_tokens;       // of an answer, with its end
  Quantity judge_tokens;        // of the judge's question, without the prompt and the answer in it
  Quantity judge_shared;        // of these, those that all questions begin with
  Quantity verdict_tokens;      // of a sampled judgement
  Quantity sft_rows;            // of M1's training
  Quantity sft_tokens;          // of one, prompt and target
  Quantity ranked_answers;      // judged in each round's evaluation
  Quantity evaluation_prompts;  // that each round's model answers
  Quantity pairs_a_prompt;      // that a round's prompts give
};

/// All of them by name.
std::vector<std::pair<std::string, Quantity>> QuantitiesOf(const Lengths& lengths);

/// Names and meanings of what `given` may hold, for --length.
std::map<std::string, std::string> LengthNames();

/// `inputs` null: the files are not there, and nothing is counted. `given`: values by name. InvalidArgument for a name
/// that is none.
Result<Lengths> FindLengths(const config::RunConfig& config, const rounds::Inputs* inputs,
                            const std::map<std::string, double>& given);

}  // namespace srlm::plan
