#include "common/text/chat_template.h"

#include <gtest/gtest.h>

#include <ctime>

#include "tests/common/text/model_folder.h"

namespace srlm::text {
namespace {

const std::vector<Message> kQuestion = {{"user", "Why?"}};

std::string Rendered(const Result<std::unique_ptr<ChatTemplate>>& loaded, const std::vector<Message>& messages) {
  if (!loaded.ok()) return "load: " + loaded.status().message();
  const Result<std::string> text = (*loaded)->Render(messages, true);
  return text.ok() ? *text : "render: " + text.status().message();
}

std::string LoadAndRender(const TemporaryFolder& folder, const std::string& override_file = "") {
  return Rendered(ChatTemplate::Load(folder.path(), override_file), kQuestion);
}

TEST(ChatTemplateFiles, TheOverrideComesBeforeTheFileAndTheFileBeforeTheConfiguration) {
  const TemporaryFolder folder;
  folder.Write("tokenizer_config.json", R"({"chat_template": "config {{ messages[0].content }}"})");
  EXPECT_EQ(LoadAndRender(folder), "config Why?");
  folder.Write("chat_template.jinja", "file");
  EXPECT_EQ(LoadAndRender(folder), "file");
  EXPECT_EQ(LoadAndRender(folder, folder.Write("mine.jinja", "mine")), "mine");
}

TEST(ChatTemplateFiles, AListOffersItsDefault) {
  const TemporaryFolder folder;
  folder.Write("tokenizer_config.json", R"({"chat_template": [{"name": "tools", "template": "t"},
                                                              {"name": "default", "template": "d"}]})");
  EXPECT_EQ(LoadAndRender(folder), "d");
  folder.Write("tokenizer_config.json", R"({"chat_template": [{"name": "tools", "template": "t"}]})");
  EXPECT_EQ(LoadAndRender(folder), "load: " + folder.path() +
                                       "/tokenizer_config.json: chat_template names no \"default\": pass "
                                       "--chat-template FILE");
  folder.Write("tokenizer_config.json", R"({"chat_template": ["t"]})");
  EXPECT_NE(LoadAndRender(folder).find("tokenizer_config.json: chat_template is a list, but"), std::string::npos);
  folder.Write("tokenizer_config.json", R"({"chat_template": 3})");
  EXPECT_NE(LoadAndRender(folder).find("is neither a string nor a list"), std::string::npos);
}

TEST(ChatTemplateFiles, WithoutATemplateTheMessageNamesTheFlag) {
  const TemporaryFolder folder;
  const auto loaded = ChatTemplate::Load(folder.path(), "");
  EXPECT_EQ(loaded.status().code(), Code::kNotFound);
  EXPECT_NE(loaded.status().message().find("pass --chat-template FILE"), std::string::npos);
}

TEST(ChatTemplateFiles, MissingEmptyAndBadFilesAreNamed) {
  const TemporaryFolder folder;
  EXPECT_EQ(LoadAndRender(folder, folder.path() + "/no.jinja"),
            "load: " + folder.path() + "/no.jinja: cannot open: No such file or directory");
  EXPECT_EQ(LoadAndRender(folder, folder.Write("empty.jinja", "")),
            "load: " + folder.path() + "/empty.jinja: is empty");
  folder.Write("tokenizer_config.json", "{\"chat_template\": ");
  EXPECT_TRUE(LoadAndRender(folder).starts_with("load: " + folder.path() +
                                                "/tokenizer_config.json: bad JSON: parse error at line 1, column"))
      << LoadAndRender(folder);
  folder.Write("tokenizer_config.json", "[]");
  EXPECT_EQ(LoadAndRender(folder), "load: " + folder.path() + "/tokenizer_config.json: is not a JSON object");
}

TEST(ChatTemplateErrors, NameThePathAndTheLine) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("bad.jinja", "ok\n{% if %}\n");
  EXPECT_TRUE(LoadAndRender(folder, path).starts_with("load: " + path + ": line 2: ")) << LoadAndRender(folder, path);
  folder.Write("bad.jinja", "ok\n\n{{ messages | no_such_filter }}");
  EXPECT_TRUE(LoadAndRender(folder, path).starts_with("render: " + path + ": line 3: ")) << LoadAndRender(folder, path);
  folder.Write("bad.jinja", "\r\n\r\n{{ raise_exception('no ' ~ messages[0].role) }}");
  EXPECT_EQ(LoadAndRender(folder, path),
            "render: " + path + ": line 3: the template refuses the conversation: no user");
  folder.Write("bad.jinja", "\xff");
  EXPECT_EQ(LoadAndRender(folder, path), "load: " + path + ": the text is not valid UTF-8 at byte 0");
}

TEST(ChatTemplateErrors, EndlessAndDeepTemplatesEndInAMessage) {
  const TemporaryFolder folder;
  const std::string path = folder.Write(
      "loop.jinja", "{% for a in range(90000) %}{% for b in range(90000) %}{% set x = a %}{% endfor %}{% endfor %}");
  EXPECT_EQ(LoadAndRender(folder, path), "render: " + path + ": line 1: engine ran out of fuel");
  folder.Write("loop.jinja", "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}");
  EXPECT_TRUE(LoadAndRender(folder, path).starts_with("render: " + path + ": line 1: "));
  folder.Write("loop.jinja", "{{ " + std::string(100000, '(') + " }}");
  EXPECT_TRUE(LoadAndRender(folder, path).starts_with("load: " + path + ": line 1: "));
}

TEST(ChatTemplateErrors, AMessageThatIsNotUtf8IsRefused) {
  const TemporaryFolder folder;
  folder.Write("chat_template.jinja", "{{ messages }}");
  EXPECT_EQ(Rendered(ChatTemplate::Load(folder.path(), ""), {{"user", "a\xc3"}}),
            "render: the text is not valid UTF-8 at byte 1");
}

TEST(ChatTemplateVariables, SpecialTokensComeFromTheConfigurationThenTheMap) {
  const TemporaryFolder folder;
  folder.Write("chat_template.jinja", "{{ bos_token }}|{{ eos_token }}|{{ unk_token }}|{{ pad_token }}|{{ tools }}");
  folder.Write("tokenizer_config.json", R"({"bos_token": "<b>", "eos_token": {"content": "<e>"}, "pad_token": null,
                                            "add_bos_token": true})");
  folder.Write("special_tokens_map.json", R"({"bos_token": "<other>", "unk_token": {"content": "<u>"}})");
  EXPECT_EQ(LoadAndRender(folder), "<b>|<e>|<u>||None");
}

TEST(ChatTemplateVariables, StrftimeNowIsTheLocalDate) {
  const TemporaryFolder folder;
  folder.Write("chat_template.jinja", "{{ strftime_now('%Y') }}");
  const std::time_t before = std::time(nullptr);
  const std::string year = LoadAndRender(folder);
  const std::time_t after = std::time(nullptr);
  EXPECT_TRUE(year == std::to_string(std::localtime(&before)->tm_year + 1900) ||
              year == std::to_string(std::localtime(&after)->tm_year + 1900))
      << year;
}

}  // namespace
}  // namespace srlm::text
