#include "common/text/end_of_turn.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/json_file.h"

namespace srlm::text {
namespace {

using nlohmann::json;

/// The ids under "eos_token_id" in one file; empty when the file or the key is not there.
Result<std::vector<int>> IdsIn(const std::string& path, const Tokenizer& tokenizer) {
  const Result<json> config = ReadJsonObject(path);
  if (!config.ok() && config.status().code() == Code::kNotFound) return std::vector<int>{};
  if (!config.ok()) return config.status();
  const auto found = config->find("eos_token_id");
  if (found == config->end() || found->is_null()) return std::vector<int>{};
  const json list = found->is_array() ? *found : json::array({*found});
  std::vector<int> ids;
  for (const json& entry : list) {
    if (!entry.is_number_integer()) return InvalidArgument(path + ": eos_token_id is neither an id nor a list of ids");
    const int64_t id = entry.get<int64_t>();
    if (id < 0 || id >= tokenizer.vocabulary_size() || !tokenizer.HasId(static_cast<int>(id))) {
      return InvalidArgument(fmt::format("{}: eos_token_id {} is no token of tokenizer.json", path, entry.dump()));
    }
    if (std::ranges::find(ids, id) == ids.end()) ids.push_back(static_cast<int>(id));
  }
  return ids;
}

}  // namespace

Result<std::vector<int>> ReadEndOfTurnIds(const std::string& model_folder, const Tokenizer& tokenizer) {
  for (const char* name : {"/generation_config.json", "/config.json"}) {
    SRLM_ASSIGN_OR_RETURN(std::vector<int> ids, IdsIn(model_folder + name, tokenizer));
    if (!ids.empty()) return ids;
  }
  return NotFound(model_folder +
                  ": neither generation_config.json nor config.json names eos_token_id, the token that "
                  "ends a turn: add it to generation_config.json");
}

int WrittenEndOfTurn(const ChatTemplate& chat_template, const Tokenizer& tokenizer,
                     const std::vector<int>& end_of_turn_ids) {
  constexpr std::string_view kAnswer = "zq7answer";  // what no template writes by itself
  const std::vector<Message> trial = {{"user", "zq7question"}, {"assistant", std::string(kAnswer)}};
  const Result<std::string> rendered = chat_template.Render(trial, /*add_generation_prompt=*/false);
  const size_t start = rendered.ok() ? rendered->rfind(kAnswer) : std::string::npos;
  if (start == std::string::npos) return end_of_turn_ids.front();
  const std::string_view tail = std::string_view(*rendered).substr(start + kAnswer.size());
  const Result<std::vector<int>> ids = tokenizer.Encode(tail, SpecialTokensInText::kParse);
  if (!ids.ok()) return end_of_turn_ids.front();
  const auto written = std::ranges::find_first_of(*ids, end_of_turn_ids);
  return written == ids->end() ? end_of_turn_ids.front() : *written;
}

}  // namespace srlm::text
