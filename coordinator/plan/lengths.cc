#include "coordinator/plan/lengths.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "common/data/records.h"
#include "coordinator/rounds/chats.h"

namespace srlm::plan {
namespace {

constexpr double kLargest = 1e9;  // of a given value
constexpr size_t kRows = 200;     // of a file that are looked at, spread over it

struct Name {
  const char* name;
  const char* meaning;
  Quantity Lengths::* quantity;
};
constexpr std::array<Name, 11> kNames = {{
    {"prompt", "tokens of a prompt, with the chat template", &Lengths::prompt_tokens},
    {"prompt_shared", "tokens that all prompts begin with", &Lengths::prompt_shared},
    {"answer", "tokens of an answer", &Lengths::answer_tokens},
    {"judge", "tokens of the judge's question around prompt and answer", &Lengths::judge_tokens},
    {"judge_shared", "tokens that all of the judge's questions begin with", &Lengths::judge_shared},
    {"verdict", "tokens of a sampled judgement", &Lengths::verdict_tokens},
    {"sft_rows", "rows that M1 is trained on", &Lengths::sft_rows},
    {"sft_row", "tokens of such a row", &Lengths::sft_tokens},
    {"ranked", "ranked answers that each round's model judges", &Lengths::ranked_answers},
    {"evaluated", "prompts that each round's model answers", &Lengths::evaluation_prompts},
    {"pairs", "pairs that a prompt gives", &Lengths::pairs_a_prompt},
}};

/// What a run of instructions of the usual kind has, where nothing better is known.
Lengths Assumed(const config::RunConfig& config) {
  Lengths lengths;
  const auto assume = [](double value) { return Quantity{value, Source::kAssumed}; };
  lengths.prompt_tokens = assume(64);
  lengths.prompt_shared = assume(0);
  lengths.judge_shared = assume(192);
  lengths.answer_tokens = assume(std::min(256.0, static_cast<double>(config.generation.max_new_tokens)));
  lengths.judge_tokens = assume(256);
  lengths.verdict_tokens = assume(std::min(96.0, static_cast<double>(config.judge.max_new_tokens)));
  lengths.sft_rows = assume(3200);
  lengths.sft_tokens = assume(lengths.prompt_tokens.value + lengths.answer_tokens.value);
  lengths.ranked_answers = assume(0);
  lengths.evaluation_prompts = assume(0);
  lengths.pairs_a_prompt = assume(config.pairs.max_per_prompt);
  return lengths;
}

/// The mean of `tokens_of` over some rows, spread over all of them; those that fail are left out.
template <class Row, class Function>
Quantity MeanOf(const std::vector<Row>& rows, const Quantity& otherwise, const Function& tokens_of) {
  double sum = 0;
  size_t counted = 0;
  const size_t step = std::max<size_t>(1, rows.size() / kRows);
  for (size_t i = 0; i < rows.size(); i += step) {
    const Result<double> tokens = tokens_of(rows[i]);
    if (!tokens.ok()) continue;
    sum += *tokens;
    ++counted;
  }
  return counted == 0 ? otherwise : Quantity{sum / static_cast<double>(counted), Source::kCounted};
}

/// How many tokens all of some texts begin with.
double CommonStart(const std::vector<std::vector<int>>& texts) {
  size_t common = texts.empty() ? 0 : texts.front().size();
  for (const std::vector<int>& text : texts) {
    const auto differ = std::ranges::mismatch(texts.front(), text);
    common = std::min(common, static_cast<size_t>(differ.in1 - texts.front().begin()));
  }
  return static_cast<double>(common);
}

Status Count(const config::RunConfig& config, const rounds::Inputs& inputs, Lengths& lengths) {
  SRLM_ASSIGN_OR_RETURN(const auto chat, rounds::LoadPolicyChat(config, config.model));
  const auto prompt_tokens = [&](const data::PromptInput& prompt) -> Result<double> {
    SRLM_ASSIGN_OR_RETURN(const std::vector<int> tokens, rounds::PromptTokens(*chat, prompt));
    return static_cast<double>(tokens.size());
  };
  const auto response_tokens = [&](const std::string& response) -> Result<double> {
    SRLM_ASSIGN_OR_RETURN(const std::vector<int> tokens, chat->ResponseTokens(response));
    return static_cast<double>(tokens.size());
  };
  lengths.prompt_tokens = MeanOf(inputs.given, lengths.prompt_tokens,
                                 [&](const data::Prompt& prompt) { return prompt_tokens(prompt.input); });
  // Answers of people stand for the model's, as far as a sampled one may go.
  const double most = config.generation.max_new_tokens;
  std::vector<data::SftRow> ift(inputs.sft.begin(),
                                inputs.sft.begin() + static_cast<std::ptrdiff_t>(inputs.seeds.size()));
  lengths.answer_tokens = MeanOf(ift, lengths.answer_tokens, [&](const data::SftRow& row) -> Result<double> {
    SRLM_ASSIGN_OR_RETURN(const double tokens, response_tokens(row.completion));
    return std::min(most, tokens);
  });
  lengths.sft_rows = {static_cast<double>(inputs.sft.size()), Source::kCounted};
  lengths.sft_tokens = MeanOf(inputs.sft, lengths.sft_tokens, [&](const data::SftRow& row) -> Result<double> {
    SRLM_ASSIGN_OR_RETURN(const double prompt, prompt_tokens(row.prompt));
    SRLM_ASSIGN_OR_RETURN(const double target, response_tokens(row.completion));
    return prompt + target;
  });
  data::PromptInput question;
  question.messages = {{"user", inputs.judge_template.Fill("", "")}};
  SRLM_ASSIGN_OR_RETURN(const double judge, prompt_tokens(question));
  lengths.judge_tokens = {judge, Source::kCounted};
  std::vector<std::vector<int>> prompts, questions;
  for (const char* text : {"Why?", "a list", "12 and 13"}) {  // alike in nothing but what stands around them
    const std::vector<Message> prompt = {{"user", text}};
    const std::vector<Message> asked = {{"user", inputs.judge_template.Fill(text, text)}};
    SRLM_ASSIGN_OR_RETURN(prompts.emplace_back(), chat->PromptTokens(prompt));
    SRLM_ASSIGN_OR_RETURN(questions.emplace_back(), chat->PromptTokens(asked));
  }
  lengths.prompt_shared = {CommonStart(prompts), Source::kCounted};
  lengths.judge_shared = {CommonStart(questions), Source::kCounted};
  lengths.ranked_answers = {static_cast<double>(inputs.ranked.size()), Source::kCounted};
  lengths.evaluation_prompts = {static_cast<double>(inputs.evaluation_prompts.size()), Source::kCounted};
  return OkStatus();
}

}  // namespace

std::vector<std::pair<std::string, Quantity>> QuantitiesOf(const Lengths& lengths) {
  std::vector<std::pair<std::string, Quantity>> all;
  for (const Name& name : kNames) all.emplace_back(name.name, lengths.*(name.quantity));
  return all;
}

std::map<std::string, std::string> LengthNames() {
  std::map<std::string, std::string> names;
  for (const Name& name : kNames) names[name.name] = name.meaning;
  return names;
}

Result<Lengths> FindLengths(const config::RunConfig& config, const rounds::Inputs* inputs,
                            const std::map<std::string, double>& given) {
  Lengths lengths = Assumed(config);
  if (inputs != nullptr) SRLM_RETURN_IF_ERROR(Count(config, *inputs, lengths));
  for (const auto& [name, value] : given) {
    const auto found = std::ranges::find_if(kNames, [&](const Name& each) { return each.name == name; });
    if (found == kNames.end()) {
      std::string names;
      for (const Name& each : kNames) names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
      return InvalidArgument(fmt::format("--length {}: there is {}", name, names));
    }
    const bool some = found->quantity == &Lengths::prompt_tokens || found->quantity == &Lengths::answer_tokens ||
                      found->quantity == &Lengths::sft_tokens;
    if (!(value >= (some ? 1 : 0) && value <= kLargest)) {
      return InvalidArgument(
          fmt::format("--length {}={}: a number from {} to {} is wanted", name, value, some ? 1 : 0, kLargest));
    }
    lengths.*(found->quantity) = {value, Source::kGiven};
  }
  if (lengths.sft_tokens.source == Source::kAssumed) {
    lengths.sft_tokens.value = lengths.prompt_tokens.value + lengths.answer_tokens.value;
  }
  return lengths;
}

}  // namespace srlm::plan
