#include "common/text/end_of_turn.h"

#include <gtest/gtest.h>

#include "tests/common/text/model_folder.h"

namespace srlm::text {
namespace {

class EndOfTurn : public testing::Test {
 protected:
  void SetUp() override {
    auto loaded = Tokenizer::Load(ModelFolder());
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    tokenizer_ = std::move(loaded).value();
  }
  Result<std::vector<int>> Ids() { return ReadEndOfTurnIds(folder_.path(), *tokenizer_); }
  int Written(const std::string& source, const std::vector<int>& ids) {
    auto loaded = ChatTemplate::Load(folder_.path(), folder_.Write("t.jinja", source));
    EXPECT_TRUE(loaded.ok()) << loaded.status().message();
    return WrittenEndOfTurn(**loaded, *tokenizer_, ids);
  }

  TemporaryFolder folder_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_F(EndOfTurn, GenerationConfigComesBeforeConfig) {
  folder_.Write("config.json", R"({"eos_token_id": 0})");
  EXPECT_EQ(*Ids(), std::vector<int>{0});
  folder_.Write("generation_config.json", R"({"eos_token_id": null})");
  EXPECT_EQ(*Ids(), std::vector<int>{0});
  folder_.Write("generation_config.json", R"({"eos_token_id": [2, 0, 2]})");
  EXPECT_EQ(*Ids(), (std::vector<int>{2, 0}));
}

TEST_F(EndOfTurn, WithoutAnyTheMessageSaysWhereToAddIt) {
  EXPECT_EQ(Ids().status().code(), Code::kNotFound);
  EXPECT_NE(Ids().status().message().find("add it to generation_config.json"), std::string::npos);
}

TEST_F(EndOfTurn, WrongIdsAreRefusedWithTheFile) {
  const std::string path = folder_.Write("generation_config.json", R"({"eos_token_id": 49152})");
  EXPECT_EQ(Ids().status().message(), path + ": eos_token_id 49152 is no token of tokenizer.json");
  for (const char* bad : {"-1", "1e30", "\"2\"", "[[2]]", "[2, null]", "18446744073709551615", "2.0"}) {
    folder_.Write("generation_config.json", std::string(R"({"eos_token_id": )") + bad + "}");
    EXPECT_TRUE(Ids().status().message().starts_with(path + ": eos_token_id")) << bad;
  }
}

TEST_F(EndOfTurn, TheTemplatesOwnIsFoundAfterTheAnswer) {
  const std::string chatml = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}";
  EXPECT_EQ(Written(chatml, {0, 2}), 2);
  EXPECT_EQ(Written("{% for m in messages %}{{ m.content }}\n<|endoftext|>{% endfor %}", {2, 0}), 0);
}

TEST_F(EndOfTurn, TheFirstServesWhereTheTemplateWritesNone) {
  EXPECT_EQ(Written("{% for m in messages %}{{ m.content }}\n{% endfor %}", {2, 0}), 2);
  EXPECT_EQ(Written("{{ raise_exception('never') }}", {2, 0}), 2);
  EXPECT_EQ(Written("nothing", {0, 2}), 0);
}

}  // namespace
}  // namespace srlm::text
