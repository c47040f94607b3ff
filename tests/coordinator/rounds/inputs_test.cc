#include "coordinator/rounds/inputs.h"

#include <fmt/format.h>

#include <filesystem>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "coordinator/rounds/coordinator.h"
#include "tests/coordinator/rounds/run_files.h"

namespace srlm::rounds {
namespace {

class InputsTest : public RunFilesTest {
 protected:
  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomic(folder_ + "/" + name, text).ok());
  }
  // A copy of the tiny model without one of its files.
  std::string ModelWithout(const std::string& file) {
    const std::string copy = folder_ + "/model";
    std::filesystem::copy(Config().model, copy);
    EXPECT_TRUE(std::filesystem::remove(copy + "/" + file));
    return copy;
  }
};

TEST_F(InputsTest, KnowsTheContentsByKey) {
  const auto inputs = LoadInputs(Config());
  ASSERT_TRUE(inputs.ok()) << inputs.status().message();
  EXPECT_EQ(inputs->hashes.at("data.ift"), *Sha256File(folder_ + "/ift.jsonl"));
  EXPECT_TRUE(inputs->hashes.contains("data.prompts"));
  EXPECT_TRUE(inputs->hashes.contains("data.evaluation"));
  EXPECT_TRUE(inputs->hashes.contains("judge.template"));
  EXPECT_FALSE(inputs->hashes.contains("data.eft"));
}

TEST_F(InputsTest, IdsOfNewPromptsAreNotForGivenOnes) {
  Write("prompts.jsonl", R"({"prompt_id": "new-1-17", "prompt": "A?"})"
                         "\n");
  const Status status = LoadInputs(Config()).status();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_NE(status.message().find("prompts.jsonl: prompt \"new-1-17\""), std::string::npos) << status.message();
  Write("prompts.jsonl", R"({"prompt_id": "new-wave", "prompt": "A?"})"
                         "\n");
  EXPECT_TRUE(LoadInputs(Config()).ok());
}

TEST_F(InputsTest, AModelWithoutATokenizerOrATemplateIsFoundBeforeAnythingStarts) {
  const std::string no_tokenizer = ModelWithout("tokenizer.json");
  EXPECT_NE(LoadInputs(Config({"model=" + no_tokenizer})).status().message().find("tokenizer.json"), std::string::npos);
  EXPECT_NE(LoadInputs(Config({"judge.model=" + no_tokenizer})).status().message().find("judge.model"),
            std::string::npos);
  EXPECT_NE(LoadInputs(Config({"prompts.writer=" + no_tokenizer})).status().message().find("prompts.writer"),
            std::string::npos);
  std::filesystem::remove_all(no_tokenizer);
  const std::string no_template = ModelWithout("chat_template.jinja");
  EXPECT_FALSE(LoadInputs(Config({"model=" + no_template})).ok());
}

TEST_F(InputsTest, ATemplateThatRefusesAPromptNamesIt) {
  Write("strict.jinja",
        "{% if messages[0].content == 'Given 2?' %}{{ raise_exception('never') }}{% endif %}"
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}");
  const Status status = LoadInputs(Config({"chat_template=" + folder_ + "/strict.jinja"})).status();
  EXPECT_NE(status.message().find("prompt \"given-2\""), std::string::npos) << status.message();
}

TEST_F(InputsTest, GoingOnWithOtherContentsIsRefusedByKey) {
  ASSERT_TRUE(Coordinator::Create(Config(), RunDir(), {}).ok());
  ASSERT_TRUE(Coordinator::Create(Config(), RunDir(), {}).ok()) << "the same contents";
  Write("ift.jsonl", R"({"prompt": "Another?", "completion": "Yes."})"
                     "\n");
  const Status status = Coordinator::Create(Config(), RunDir(), {}).status();
  EXPECT_EQ(status.code(), Code::kFailedPrecondition);
  EXPECT_NE(status.message().find("data.ift"), std::string::npos) << status.message();
  EXPECT_EQ(status.message().find("data.prompts"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace srlm::rounds
