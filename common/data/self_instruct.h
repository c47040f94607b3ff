// New prompts from examples (Self-Instruct, arXiv 2212.10560): a list of numbered tasks that the model continues.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/random.h"

namespace srlm::data {

/// Which examples one new prompt is shown.
struct Demonstrations {
  std::vector<int> seeds;      // indices in the seed pool
  std::vector<int> generated;  // indices in the pool of accepted new prompts
};

/// Draws without repetition: `generated_wanted` of the accepted pool and `seeds_wanted` seeds; what one pool lacks
/// the other fills up, as far as it can. A function of the stream and the sizes alone.
Demonstrations DrawDemonstrations(const RandomStream& stream, int seed_count, int generated_count, int seeds_wanted,
                                  int generated_wanted);

/// The order in which `count` demonstrations are shown, as a permutation drawn from the stream.
std::vector<int> DrawOrder(const RandomStream& stream, int count);

/// The question: an opening line, `Task 1: ...` to `Task n: ...`, and the open `Task n+1:`. Line breaks inside an
/// instruction become spaces.
std::string BuildSelfInstructPrompt(std::span<const std::string> instructions);

struct ExtractedInstruction {
  std::string text;
  bool complete = false;  // something followed it (an empty line or the next task), so it was not cut
};

/// The new instruction in what the model wrote after the open `Task n+1:`; a repeated heading and quotes around it
/// are taken off. It ends at an empty line or at a line that begins `Task <number>`.
ExtractedInstruction ExtractInstruction(std::string_view output);

}  // namespace srlm::data
