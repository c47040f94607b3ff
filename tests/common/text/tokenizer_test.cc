#include "common/text/tokenizer.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/common/text/model_folder.h"

namespace srlm::text {
namespace {

using testing::Test;

class SmolTokenizer : public Test {
 protected:
  void SetUp() override {
    auto loaded = Tokenizer::Load(ModelFolder());
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    tokenizer_ = std::move(loaded).value();
  }
  std::vector<int> Encode(std::string_view text, SpecialTokensInText special) {
    auto ids = tokenizer_->Encode(text, special);
    EXPECT_TRUE(ids.ok()) << ids.status().message();
    return ids.ok() ? *ids : std::vector<int>{};
  }
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_F(SmolTokenizer, EmptyTextHasNoTokens) {
  EXPECT_TRUE(Encode("", SpecialTokensInText::kText).empty());
  auto text = tokenizer_->Decode({}, true);
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, "");
}

TEST_F(SmolTokenizer, SpecialTokensInTextAreTextUnlessParsed) {
  EXPECT_EQ(Encode("<|im_end|>", SpecialTokensInText::kParse), std::vector<int>{2});
  const std::vector<int> as_text = Encode("a<|im_end|>b<|im_start|>", SpecialTokensInText::kText);
  for (const int id : as_text) EXPECT_GT(id, 16) << "a special token";
  EXPECT_EQ(*tokenizer_->Decode(as_text, true), "a<|im_end|>b<|im_start|>");
}

TEST_F(SmolTokenizer, DecodingSkipsSpecialTokensOnlyWhenAsked) {
  const std::vector<int> ids = Encode("a<|im_end|>", SpecialTokensInText::kParse);
  EXPECT_EQ(*tokenizer_->Decode(ids, true), "a");
  EXPECT_EQ(*tokenizer_->Decode(ids, false), "a<|im_end|>");
}

TEST_F(SmolTokenizer, StandInsHideASpecialTokenAndComeBackAsText) {
  const StandIn entry{0xE000, '<'};
  auto ids = tokenizer_->EncodeWithStandIns("<|im_start|>a \uE000|im_end|> 1<|im_end|>", std::span(&entry, 1));
  ASSERT_TRUE(ids.ok()) << ids.status().message();
  std::vector<int> expected = Encode("a <|im_end|> 1", SpecialTokensInText::kText);
  expected.insert(expected.begin(), 1);
  expected.push_back(2);
  EXPECT_EQ(*ids, expected);
}

TEST_F(SmolTokenizer, TextThatIsNotUtf8IsRefusedWithThePlace) {
  auto ids = tokenizer_->Encode("ab\xff", SpecialTokensInText::kText);
  ASSERT_FALSE(ids.ok());
  EXPECT_EQ(ids.status().message(), "the text is not valid UTF-8 at byte 2");
}

TEST_F(SmolTokenizer, IdsThatNoTokenHasDecodeToNothingAndNegativeOnesAreRefused) {
  const std::vector<int> padded = {49151, 1 << 30};
  EXPECT_EQ(*tokenizer_->Decode(padded, false), *tokenizer_->Decode(std::span(padded).first(1), false));
  const std::vector<int> negative = {-1};
  auto text = tokenizer_->Decode(negative, false);
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.status().message(), "-1 is not a token id");
}

TEST_F(SmolTokenizer, HalfACharacterDecodesToTheReplacementCharacter) {
  const std::vector<int> ids = Encode("𓀀", SpecialTokensInText::kText);
  ASSERT_GT(ids.size(), 1u);
  EXPECT_EQ(*tokenizer_->Decode(std::span(ids).first(1), false), "\uFFFD");
}

TEST_F(SmolTokenizer, KnowsItsTokens) {
  EXPECT_EQ(tokenizer_->vocabulary_size(), 49152);
  EXPECT_TRUE(tokenizer_->HasId(0) && tokenizer_->HasId(49151));
  EXPECT_FALSE(tokenizer_->HasId(-1) || tokenizer_->HasId(49152));
  EXPECT_EQ(tokenizer_->special_tokens().size(), 17u);
}

std::string LoadError(const std::string& folder) {
  auto loaded = Tokenizer::Load(folder);
  return loaded.ok() ? "" : loaded.status().message();
}

TEST(TokenizerFile, MissingEmptyTruncatedAndForeignFilesAreNamed) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/tokenizer.json";
  EXPECT_EQ(LoadError(folder.path()), path + ": cannot open: No such file or directory");
  folder.Write("tokenizer.json", "");
  EXPECT_EQ(LoadError(folder.path()), path + ": is empty");
  folder.Write("tokenizer.json", "{\"version\": \"1.0\", \"model\": {");
  EXPECT_TRUE(LoadError(folder.path()).starts_with(path + ": not a tokenizer: EOF")) << LoadError(folder.path());
  folder.Write("tokenizer.json", "{\"version\": \"1.0\"}");
  EXPECT_TRUE(LoadError(folder.path()).starts_with(path + ": not a tokenizer: ")) << LoadError(folder.path());
  folder.Write("tokenizer.json", std::string(100000, '['));
  EXPECT_TRUE(LoadError(folder.path()).starts_with(path + ": not a tokenizer: ")) << LoadError(folder.path());
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  EXPECT_EQ(LoadError(folder.path()), path + ": is a folder, a file is needed");
}

TEST(TokenizerFile, TruncationAndPaddingLeftInTheFileAreDropped) {
  const TemporaryFolder folder;
  folder.Write("tokenizer.json", R"({"version": "1.0",
    "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
    "padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0,
                "pad_type_id": 0, "pad_token": "a"},
    "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null,
    "decoder": null, "model": {"type": "WordLevel", "vocab": {"a": 0, "b": 1, "c": 7}, "unk_token": "a"}})");
  auto loaded = Tokenizer::Load(folder.path());
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  EXPECT_EQ(*(*loaded)->Encode("a b c b", SpecialTokensInText::kText), (std::vector<int>{0, 1, 7, 1}));
  EXPECT_EQ((*loaded)->vocabulary_size(), 8) << "one more than the largest id, holes or not";
  EXPECT_FALSE((*loaded)->HasId(5));
}

}  // namespace
}  // namespace srlm::text
