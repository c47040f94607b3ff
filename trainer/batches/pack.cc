#include "trainer/batches/pack.h"

#include "common/base/check.h"

namespace srlm::trainer {
namespace {

void AppendTokens(Pack& pack, std::span<const int> tokens, int64_t first_position) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    pack.tokens.push_back(tokens[i]);
    pack.positions.push_back(first_position + static_cast<int64_t>(i));
  }
}

/// The response's targets: its first token after `last_prompt_row`, the others after its own rows from `begin`.
void AppendTargets(Pack& pack, std::span<const int> response, int64_t last_prompt_row, int64_t begin) {
  pack.sequences.push_back({pack.targets(), static_cast<int64_t>(response.size())});
  for (size_t i = 0; i < response.size(); ++i) {
    pack.target_rows.push_back(i == 0 ? last_prompt_row : begin + static_cast<int64_t>(i) - 1);
    pack.target_tokens.push_back(response[i]);
  }
}

void AppendSample(Pack& pack, const Sample& sample) {
  SRLM_CHECK(!sample.prompt.empty(), "a sample without a prompt");
  const int64_t begin = pack.size(), prompt_count = static_cast<int64_t>(sample.prompt.size());
  AppendTokens(pack, sample.prompt, 0);
  // One response goes on in the prompt's segment; several need their own.
  pack.segments.push_back({begin, prompt_count, begin, 0});
  for (const std::vector<int>& response : sample.responses) {
    SRLM_CHECK(!response.empty(), "a sample without a response");
    const int64_t response_begin = pack.size();
    const std::span<const int> inputs = std::span(response).first(response.size() - 1);
    AppendTokens(pack, inputs, prompt_count);
    AppendTargets(pack, response, begin + prompt_count - 1, response_begin);
    const auto count = static_cast<int64_t>(inputs.size());
    if (sample.responses.size() == 1) {
      pack.segments.back().count += count;
    } else if (count > 0) {
      pack.segments.push_back({response_begin, count, begin, prompt_count});
    }
  }
}

}  // namespace

Pack MakePack(std::span<const Sample> samples, std::span<const size_t> indices) {
  Pack pack;
  for (const size_t index : indices) {
    PackedSample packed;
    packed.sample = index;
    packed.segment_begin = pack.segments.size();
    packed.sequence_begin = pack.sequences.size();
    AppendSample(pack, samples[index]);
    packed.segment_end = pack.segments.size();
    packed.sequence_end = pack.sequences.size();
    pack.samples.push_back(packed);
  }
  return pack;
}

}  // namespace srlm::trainer
