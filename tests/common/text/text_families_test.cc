// Small tokenizers of the kinds that the Llama family uses: our ids are those of the `tokenizers` library, and special
// tokens inside a message are text whatever normalizer and pre-tokenizer come after.
#include <gtest/gtest.h>

#include "tests/common/text/model_folder.h"
#include "tests/common/text/rows.h"

namespace srlm::text {
namespace {

using nlohmann::json;

class TextFamilies : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string data = SourceFolder() + "/tests/reference/data/text_families";
    auto rows = ReadRows(data + "/rows.jsonl");
    ASSERT_TRUE(rows.ok()) << rows.status().message();
    for (json& row : *rows) {
      if (row["tokenizer"] == GetParam()) rows_.push_back(std::move(row));
    }
    ASSERT_GT(rows_.size(), 50u);
    std::filesystem::create_symlink(data + "/" + GetParam() + "/tokenizer.json", folder_.path() + "/tokenizer.json");
    folder_.Write("generation_config.json", R"({"eos_token_id": 2})");
    folder_.Write("chat_template.jinja", "<s>[A] {{ messages[0].content | trim }} [/A]");
    auto chat = Chat::Load(folder_.path(), "", SpecialTokensInText::kText);
    ASSERT_TRUE(chat.ok()) << chat.status().message();
    chat_ = std::move(chat).value();
  }

  TemporaryFolder folder_;
  std::vector<json> rows_;
  std::unique_ptr<Chat> chat_;
};

TEST_P(TextFamilies, TextsEncodeAndDecodeAsInTheLibrary) {
  for (const json& row : rows_) {
    const std::string text = row["text"].get<std::string>();
    EXPECT_EQ(*chat_->tokenizer().Encode(text, SpecialTokensInText::kParse), row["ids"].get<std::vector<int>>())
        << text;
    EXPECT_EQ(*chat_->RawTokens(text), row[row.contains("ids_as_text") ? "ids_as_text" : "ids"].get<std::vector<int>>())
        << text;
    EXPECT_EQ(*chat_->tokenizer().Decode(row["ids"].get<std::vector<int>>(), true), row["decoded"].get<std::string>())
        << text;
  }
}

TEST_P(TextFamilies, SpecialTokensInMessagesAreTextWhileTheTemplatesStaySpecial) {
  for (const json& row : rows_) {
    const std::vector<Message> messages = {{"user", row["text"].get<std::string>()}};
    EXPECT_EQ(*chat_->PromptTokens(messages), row["prompt_ids"].get<std::vector<int>>()) << row["text"];
  }
}

INSTANTIATE_TEST_SUITE_P(All, TextFamilies,
                         testing::Values("prepend", "metaspace_first", "split_bytes", "lower_stripping"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace srlm::text
