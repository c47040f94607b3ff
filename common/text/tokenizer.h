// Text to token ids and back, exactly as Hugging Face's tokenizers do it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

struct SrlmTextTokenizer;

namespace srlm::text {

/// What the text of a special token ("<|im_end|>") becomes when it stands inside someone's text.
enum class SpecialTokensInText {
  kText,   // ordinary tokens: a text cannot end a turn or open another (the default)
  kParse,  // the special token's id, as Hugging Face does
};

/// A character in a rendered text and the one that it stands for once special tokens were found (special_text.h).
struct StandIn {
  char32_t stand_in;
  char32_t original;
};

/// A model folder's tokenizer.json. Thread-safe after Load.
class Tokenizer {
 public:
  /// NotFound without tokenizer.json; InvalidArgument with path and reason when it cannot be used.
  static Result<std::unique_ptr<Tokenizer>> Load(const std::string& model_folder);
  ~Tokenizer();
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  /// Token ids of `text`; no BOS or EOS is added. InvalidArgument when it is not UTF-8.
  Result<std::vector<int>> Encode(std::string_view text, SpecialTokensInText special) const;

  /// As Encode with kParse, except that each stand-in hides what it stands for from the search for special tokens.
  Result<std::vector<int>> EncodeWithStandIns(std::string_view text, std::span<const StandIn> stand_ins) const;

  /// The text of `ids`; bytes that are no whole character become U+FFFD. Ids that no token has give nothing, as a
  /// model's padded vocabulary may have some. InvalidArgument for a negative id.
  Result<std::string> Decode(std::span<const int> ids, bool skip_special_tokens) const;

  /// Whether some token has this id.
  bool HasId(int id) const;
  /// One more than the largest id.
  int vocabulary_size() const { return vocabulary_size_; }
  /// Texts of all special tokens, sorted.
  const std::vector<std::string>& special_tokens() const { return special_tokens_; }

 private:
  explicit Tokenizer(SrlmTextTokenizer* tokenizer);
  Result<std::vector<int>> EncodeImpl(std::string_view text, bool parse, std::span<const StandIn> stand_ins) const;

  SrlmTextTokenizer* tokenizer_;
  int vocabulary_size_;
  std::vector<std::string> special_tokens_;
};

}  // namespace srlm::text
