#include "common/text/tokenizer.h"

#include <fmt/format.h>

#include "common/base/json_file.h"
#include "common/text/bytes.h"

namespace srlm::text {
namespace {

constexpr size_t kTokenizerLimitBytes = size_t{1} << 30;  // the largest in use are near 40 MB

}  // namespace

Result<std::unique_ptr<Tokenizer>> Tokenizer::Load(const std::string& model_folder) {
  const std::string path = model_folder + "/tokenizer.json";
  SRLM_ASSIGN_OR_RETURN(const std::string json, ReadSmallFile(path, kTokenizerLimitBytes));
  SrlmTextTokenizer* tokenizer = nullptr;
  SrlmTextBytes error{};
  if (srlm_text_tokenizer_load(Data(json), json.size(), &tokenizer, &error) != 0) {
    return InvalidArgument(fmt::format("{}: not a tokenizer: {}", path, TakeString(error)));
  }
  return std::unique_ptr<Tokenizer>(new Tokenizer(tokenizer));
}

Tokenizer::Tokenizer(SrlmTextTokenizer* tokenizer)
    : tokenizer_(tokenizer), vocabulary_size_(srlm_text_tokenizer_id_limit(tokenizer)) {
  const size_t count = srlm_text_tokenizer_special_count(tokenizer);
  for (size_t i = 0; i < count; ++i) {
    size_t size = 0;
    const uint8_t* data = srlm_text_tokenizer_special(tokenizer, i, &size);
    special_tokens_.emplace_back(reinterpret_cast<const char*>(data), size);
  }
}

Tokenizer::~Tokenizer() { srlm_text_tokenizer_free(tokenizer_); }

Result<std::vector<int>> Tokenizer::Encode(std::string_view text, SpecialTokensInText special) const {
  return EncodeImpl(text, special == SpecialTokensInText::kParse, {});
}

Result<std::vector<int>> Tokenizer::EncodeWithStandIns(std::string_view text,
                                                       std::span<const StandIn> stand_ins) const {
  return EncodeImpl(text, /*parse=*/true, stand_ins);
}

Result<std::vector<int>> Tokenizer::EncodeImpl(std::string_view text, bool parse,
                                               std::span<const StandIn> stand_ins) const {
  std::vector<SrlmTextStandIn> pairs;
  for (const StandIn& entry : stand_ins) pairs.push_back({entry.stand_in, entry.original});
  SrlmTextIds ids{};
  SrlmTextBytes error{};
  if (srlm_text_tokenizer_encode(tokenizer_, Data(text), text.size(), parse, pairs.data(), pairs.size(), &ids,
                                 &error) != 0) {
    return InvalidArgument(TakeString(error));
  }
  return TakeIds(ids);
}

Result<std::string> Tokenizer::Decode(std::span<const int> ids, bool skip_special_tokens) const {
  SrlmTextBytes text{};
  SrlmTextBytes error{};
  if (srlm_text_tokenizer_decode(tokenizer_, ids.data(), ids.size(), skip_special_tokens, &text, &error) != 0) {
    return InvalidArgument(TakeString(error));
  }
  return TakeString(text);
}

bool Tokenizer::HasId(int id) const { return srlm_text_tokenizer_has_id(tokenizer_, id); }

}  // namespace srlm::text
