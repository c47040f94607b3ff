// The committed sample of 300 rows: our token ids and rendered templates are Hugging Face's.
#include <gtest/gtest.h>

#include "tests/common/text/model_folder.h"
#include "tests/common/text/rows.h"

namespace srlm::text {
namespace {

const std::string& DataFolder() {
  static const std::string folder = SourceFolder() + "/tests/reference/data";
  return folder;
}

TEST(TextSample, EveryRowEqualsHuggingFaces) {
  auto reader = RowReader::Load(ModelFolder(), DataFolder() + "/text_templates");
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  auto rows = ReadRows(DataFolder() + "/text_sample.jsonl");
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  ASSERT_EQ(rows->size(), 300u);
  for (size_t i = 0; i < rows->size(); ++i) {
    auto answer = reader->Answer((*rows)[i]);
    ASSERT_TRUE(answer.ok()) << "row " << i + 1 << ": " << answer.status().message();
    EXPECT_EQ(*answer, (*rows)[i]) << "row " << i + 1 << ": " << nlohmann::json::diff((*rows)[i], *answer);
  }
}

/// The text without six control characters: this vocabulary has no token for them and none for the unknown, so
/// Hugging Face's ids have nothing for them either.
std::string WithoutTokenlessBytes(std::string text) {
  std::erase_if(text, [](char byte) {
    return std::string_view("\x04\x06\x13\x14\x16\x1d").find(byte) != std::string_view::npos;
  });
  return text;
}

TEST(TextSample, DecodingGivesEveryTextBack) {
  auto tokenizer = Tokenizer::Load(ModelFolder());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  auto rows = ReadRows(DataFolder() + "/text_sample.jsonl");
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  for (const auto& row : *rows) {
    if (!row.contains("text")) continue;
    for (const char* key : {"ids", "ids_as_text"}) {
      if (!row.contains(key)) continue;
      auto decoded = (*tokenizer)->Decode(row[key].get<std::vector<int>>(), /*skip_special_tokens=*/false);
      ASSERT_TRUE(decoded.ok()) << decoded.status().message();
      EXPECT_EQ(*decoded, WithoutTokenlessBytes(row["text"].get<std::string>()));
    }
  }
}

}  // namespace
}  // namespace srlm::text
