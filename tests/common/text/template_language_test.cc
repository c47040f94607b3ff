// Where Jinja2 with Hugging Face's settings and other engines differ: the values are what Jinja2 3.1 prints.
#include <gtest/gtest.h>

#include "common/text/chat_template.h"
#include "tests/common/text/model_folder.h"

namespace srlm::text {
namespace {

struct Case {
  const char* name;
  const char* source;
  const char* expected;
};

class TemplateLanguage : public testing::TestWithParam<Case> {};

TEST_P(TemplateLanguage, PrintsWhatJinja2Prints) {
  const TemporaryFolder folder;
  auto loaded = ChatTemplate::Load(folder.path(), folder.Write("case.jinja", GetParam().source));
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  const std::vector<Message> messages = {{"user", "\u001c x y\u00a0\n"}, {"assistant", "<&'\"é>"}};
  auto text = (*loaded)->Render(messages, true);
  ASSERT_TRUE(text.ok()) << text.status().message();
  EXPECT_EQ(*text, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    All, TemplateLanguage,
    testing::Values(
        Case{"OneTrailingNewlineIsDropped", "a\n\n", "a\n"},
        Case{"BlocksTakeTheirLine", "a\n  {% if true %}\n b\n  {% endif %}\nc", "a\n b\nc"},
        Case{"LineEndsAreUnified", "a\r\nb\rc", "a\nb\nc"},
        Case{"TrimIsPythons", "[{{ messages[0].content | trim }}]", "[x y]"},
        Case{"StripIsPythons", "[{{ messages[0].content.strip() }}|{{ messages[0]['content'].rstrip() }}]",
             "[x y|\u001c x y]"},
        Case{"SplitIsPythons", "{{ messages[0].content.split() }}", "['x', 'y']"},
        Case{"NothingIsEscaped", "{{ messages[1].content }}", "<&'\"é>"},
        Case{"TojsonKeepsHtmlAndLetters", "{{ messages[1] | tojson }}",
             "{\"role\": \"assistant\", \"content\": \"<&'\\\"é>\"}"},
        Case{"TojsonCanBeAscii", "{{ 'é𝕏' | tojson(ensure_ascii=true) }}", "\"\\u00e9\\ud835\\udd4f\""},
        Case{"TojsonIndents", "{{ {'a': [1, {}], 'b': []} | tojson(indent=1) }}",
             "{\n \"a\": [\n  1,\n  {}\n ],\n \"b\": []\n}"},
        Case{"ValuesPrintAsPython", "{{ [true, none, 1.0, 1e16, 'it\\'s'] }}{{ {'a': 1} }}{{ not true }}",
             "[True, None, 1.0, 1e+16, \"it's\"]{'a': 1}False"},
        Case{"UndefinedIsEmpty", "[{{ missing }}{{ messages[0].missing }}]", "[]"},
        Case{"GenerationMarksWhatTheAssistantSaid",
             "{%- generation -%}\n {{ 1 }}\n{%- endgeneration %}{% generation %}\nb\n{% endgeneration %}c", "1b\nc"},
        Case{"LoopControls", "{% for m in [1, 2, 3] %}{% if m == 2 %}{% continue %}{% endif %}{{ m }}{% endfor %}",
             "13"},
        Case{"NamespaceOutlivesALoop",
             "{% set n = namespace(x=0) %}{% for m in messages %}{% set n.x = n.x + 1 %}{% endfor %}{{ n.x }}", "2"},
        Case{"AVariableDoesNotOutliveALoop", "{% set x = 0 %}{% for m in messages %}{% set x = 9 %}{% endfor %}{{ x }}",
             "0"},
        Case{"DictMethods", "{% for k, v in messages[1].items() %}{{ k }};{% endfor %}{{ messages[1].get('z', 5) }}",
             "role;content;5"},
        Case{"PrefixesAndSuffixes",
             "{{ 'abc'.removeprefix('a') }}{{ 'abc'.removesuffix('c') }}{{ 'abc'.startswith('b') }}", "bcabFalse"}),
    [](const testing::TestParamInfo<Case>& info) { return info.param.name; });

}  // namespace
}  // namespace srlm::text
