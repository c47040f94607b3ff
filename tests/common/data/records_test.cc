#include "common/data/records.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/common/data/expect_contains.h"

namespace srlm::data {
namespace {

using Loader = std::function<Status(const std::string&)>;

struct BadRow {
  const char* text;
  const char* message;
};

void ExpectFailures(const Loader& load, std::initializer_list<BadRow> rows) {
  const TemporaryFolder folder;
  for (const BadRow& row : rows) ExpectContains(load(folder.Write("in.jsonl", row.text)).message(), row.message);
}

Status LoadSftStatus(const std::string& path) { return LoadSft(path, JudgeTemplate::BuiltIn()).status(); }

TEST(Prompts, TextMessagesAndRaw) {
  const TemporaryFolder folder;
  const auto prompts = LoadPrompts(folder.Write("in.jsonl",
                                                R"({"prompt_id": "a", "prompt": "Hi", "other": 1}
{"prompt_id": 7, "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]}
{"prompt_id": "c", "prompt": "Once upon", "raw": true})"));
  ASSERT_TRUE(prompts.ok()) << prompts.status().message();
  ASSERT_EQ(prompts->size(), 3u);
  EXPECT_EQ((*prompts)[0].input, PromptInput::FromUser("Hi"));
  EXPECT_EQ((*prompts)[1].prompt_id, "7");
  EXPECT_EQ((*prompts)[1].input.messages.size(), 2u);
  EXPECT_EQ(PlainText((*prompts)[1].input), "system: Be kind.\n\nuser: Hi");
  EXPECT_EQ((*prompts)[2].input, PromptInput::Raw("Once upon"));
}

TEST(Prompts, BadRowsNameFileLineAndField) {
  ExpectFailures(
      [](const std::string& path) { return LoadPrompts(path).status(); },
      {{"", "in.jsonl: has no rows"},
       {"\n \n", "in.jsonl: has no rows"},
       {R"({"prompt": "Hi"})", "in.jsonl:1: 'prompt_id' is missing"},
       {R"({"prompt_id": "a"})", "in.jsonl:1: 'prompt' is missing"},
       {R"({"prompt_id": "a", "prompt": " \n"})", "in.jsonl:1: 'prompt' is empty"},
       {R"({"prompt_id": "a", "prompt": 3})", "in.jsonl:1: 'prompt': wanted text, found number"},
       {R"({"prompt_id": {}, "prompt": "Hi"})", "'prompt_id': wanted text or a whole number, found object"},
       {R"({"prompt_id": "a", "messages": []})", "'messages' has no messages"},
       {R"({"prompt_id": "a", "messages": [{"role": "user"}]})", "message 1 needs the texts"},
       {R"({"prompt_id": "a", "messages": ["Hi"]})", "message 1 needs the texts"},
       {R"({"prompt_id": "a", "messages": [{"role": "assistant", "content": "x"}]})", "nothing to answer"},
       {R"({"prompt_id": "a", "messages": [{"role": "user", "content": ""}]})", "last message is empty"},
       {R"({"prompt_id": "a", "prompt": "x", "raw": 1})", "'raw': wanted true or false"},
       {R"({"prompt_id": "a", "messages": [{"role": "user", "content": "x"}], "raw": true})", "'raw' is true"},
       {"{\"prompt_id\": \"a\", \"prompt\": \"x\"}\n\n{\"prompt_id\": \"a\", \"prompt\": \"y\"}",
        "in.jsonl:3: 'prompt_id' is 'a', as in line 1"}});
}

TEST(Sft, AllFormsBecomePromptAndCompletion) {
  const TemporaryFolder folder;
  const auto rows =
      LoadSft(folder.Write("in.jsonl",
                           R"({"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}
{"prompt": "Q", "completion": "A"}
{"prompt": [{"role": "user", "content": "Q"}], "completion": [{"role": "assistant", "content": "A"}]}
{"prompt": "Q", "completion": "A", "raw": true}
{"prompt": "Q", "response": "A", "justification": "Fine.", "score": 3}
{"prompt": "Q", "completion": "A", "prompt_token_ids": [1, 2], "completion_token_ids": [3]}
{"prompt": "Q", "response": "A", "justification": "", "score": 0})"),
              *JudgeTemplate::Parse("<{prompt}|{response}>", "t"));
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  ASSERT_EQ(rows->size(), 7u);
  for (const int i : {0, 1, 2, 5}) {
    EXPECT_EQ((*rows)[i].prompt, PromptInput::FromUser("Q"));
    EXPECT_EQ((*rows)[i].completion, "A");
  }
  EXPECT_EQ((*rows)[3].prompt, PromptInput::Raw("Q"));
  EXPECT_EQ((*rows)[4].prompt, PromptInput::FromUser("<Q|A>"));
  EXPECT_EQ((*rows)[4].completion, "Fine.\nScore: 3");
  EXPECT_EQ((*rows)[5].prompt_token_ids, (std::vector<int>{1, 2}));
  EXPECT_EQ((*rows)[5].completion_token_ids, (std::vector<int>{3}));
  EXPECT_EQ((*rows)[6].completion, "Score: 0");  // no justification, for expected verdicts
}

TEST(Sft, BadRowsNameFileLineAndField) {
  ExpectFailures(
      LoadSftStatus,
      {{R"({"prompt": "Q"})", "in.jsonl:1: 'completion' is missing"},
       {R"({"prompt": "Q", "completion": ""})", "'completion' is empty"},
       {R"({"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": ""}]})",
        "'messages' ends with an empty answer"},
       {R"({"completion": "A"})", "'prompt' is missing"},
       {R"({"messages": [{"role": "user", "content": "Q"}]})", "ends with role 'user'"},
       {R"({"messages": [{"role": "assistant", "content": "A"}]})", "no prompt before"},
       {R"({"prompt": "Q", "completion": "A", "prompt_token_ids": [1]})", "token ids of one side only"},
       {R"({"prompt": "Q", "completion": "A", "prompt_token_ids": [-1]})", "element 0 is not a token id"},
       {R"({"prompt": "Q", "completion": "A", "prompt_token_ids": [1, 99999999999]})", "element 1 is not a token id"},
       {R"({"prompt": "Q", "response": "A", "justification": "J", "score": 6})",
        "'score' is 6, wanted a whole number from 0 to 5"},
       {R"({"prompt": "Q", "response": "A", "justification": "J", "score": 2.5})", "'score' is 2.5"},
       {R"({"prompt": "Q", "response": "A", "justification": "J"})", "'score' is missing"}});
}

TEST(Preferences, TrlsFormsAreReadAndWritten) {
  const TemporaryFolder folder;
  const auto rows = LoadPreferences(folder.Write("in.jsonl",
                                                 R"({"prompt": "Q", "chosen": "A", "rejected": "B"}
{"prompt": [{"role": "user", "content": "Q"}], "chosen": [{"role": "assistant", "content": "A"}], "rejected": [{"role": "assistant", "content": "B"}], "prompt_id": "p"}
{"prompt": "Q", "chosen": "A", "rejected": "", "prompt_token_ids": [1], "chosen_token_ids": [2, 3], "rejected_token_ids": [4], "reference_chosen_logp": -1.5, "reference_rejected_logp": -2, "chosen_probability": 0.75}
{"prompt": "Q", "chosen": "A", "rejected": "B", "raw": true})"));
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  ASSERT_EQ(rows->size(), 4u);
  for (const int i : {0, 1}) {
    EXPECT_EQ((*rows)[i].prompt, PromptInput::FromUser("Q"));
    EXPECT_EQ((*rows)[i].chosen, "A");
    EXPECT_EQ((*rows)[i].rejected, "B");
  }
  EXPECT_EQ((*rows)[2].reference_chosen_logp, -1.5);
  EXPECT_EQ((*rows)[2].chosen_probability, 0.75);
  EXPECT_EQ(ToJson((*rows)[2])["chosen_probability"], 0.75);
  EXPECT_FALSE((*rows)[0].chosen_probability || ToJson((*rows)[0]).contains("chosen_probability"));
  EXPECT_TRUE((*rows)[3].prompt.raw);

  std::string written;
  for (const PreferenceRow& row : *rows) written += ToJson(row).dump() + "\n";
  const auto again = LoadPreferences(folder.Write("again.jsonl", written));
  ASSERT_TRUE(again.ok()) << again.status().message();
  for (size_t i = 0; i < rows->size(); ++i) EXPECT_EQ(ToJson((*rows)[i]), ToJson((*again)[i]));
}

TEST(Preferences, BadRowsNameFileLineAndField) {
  ExpectFailures(
      [](const std::string& path) { return LoadPreferences(path).status(); },
      {{R"({"prompt": "Q", "rejected": "B"})", "in.jsonl:1: 'chosen' is missing"},
       {R"({"prompt": "Q", "chosen": null, "rejected": "B"})", "'chosen' is missing"},
       {R"({"prompt": "Q", "chosen": "", "rejected": "B"})", "'chosen' is empty"},
       {R"({"prompt": "Q", "chosen": "A"})", "'rejected' is missing"},
       {R"({"chosen": "A", "rejected": "B"})", "'prompt' is missing"},
       {R"({"prompt": "Q", "chosen": [{"role": "user", "content": "A"}], "rejected": "B"})", "one assistant message"},
       {R"({"prompt": "Q", "chosen": "A", "rejected": "B", "chosen_token_ids": [1]})", "give all three, or none"},
       {R"({"prompt": "Q", "chosen": "A", "rejected": "B", "reference_chosen_logp": -1})", "of one answer only"},
       {R"({"prompt": "Q", "chosen": "A", "rejected": "B", "chosen_probability": 1.5})", "from 0 to 1"},
       {R"({"prompt": "Q", "chosen": "A", "rejected": "B", "chosen_probability": -0.5})", "from 0 to 1"},
       {R"({"prompt": "Q", "chosen": "A", "rejected": "B", "reference_chosen_logp": "x"})", "wanted a number"}});
}

TEST(JudgeItems, IdsAreTheRowsOrTheLine) {
  const TemporaryFolder folder;
  const auto items = LoadJudgeItems(folder.Write("in.jsonl",
                                                 R"({"prompt": "Q", "response": "A"}
{"prompt": "Q", "response": "", "id": "x"})"));
  ASSERT_TRUE(items.ok()) << items.status().message();
  EXPECT_EQ((*items)[0].id, "1");
  EXPECT_EQ((*items)[1].id, "x");
  ExpectFailures(
      [](const std::string& path) { return LoadJudgeItems(path).status(); },
      {{R"({"prompt": "Q"})", "in.jsonl:1: 'response' is missing"},
       {"{\"prompt\": \"Q\", \"response\": \"A\", \"id\": 1}\n{\"prompt\": \"Q\", \"response\": \"B\", \"id\": \"1\"}",
        "in.jsonl:2: 'id' is '1', as in line 1"},
       {"{\"prompt\": \"Q\", \"response\": \"A\", \"id\": \"2\"}\n{\"prompt\": \"Q\", \"response\": \"B\"}",
        "in.jsonl:2: 'id' is '2', as in line 1"}});
}

TEST(RankedAnswers, BothNamingsAreAccepted) {
  const TemporaryFolder folder;
  const auto answers = LoadRankedAnswers(folder.Write(
      "in.jsonl",
      R"({"prompt_id": "p", "prompt_text": "Q", "response_id": "r", "response_text": "A", "quality_score": 0.9}
{"prompt_id": "p", "prompt": "Q", "response": "B", "score": 1})"));
  ASSERT_TRUE(answers.ok()) << answers.status().message();
  EXPECT_EQ((*answers)[0].quality, 0.9);
  EXPECT_EQ((*answers)[1].response_id, "2");
  ExpectFailures(
      [](const std::string& path) { return LoadRankedAnswers(path).status(); },
      {{R"({"prompt_id": "p", "prompt": "Q", "response": "A"})", "'quality_score' is missing"},
       {R"({"prompt_id": "p", "prompt": "Q", "response": "A", "score": "high"})", "'score': wanted a number"},
       {"{\"prompt_id\": \"p\", \"prompt\": \"Q\", \"response\": \"A\", \"score\": 1}\n{\"prompt_id\": \"p\", "
        "\"prompt\": "
        "\"R\", \"response\": \"A\", \"score\": 1}",
        "in.jsonl:2: 'prompt_id' is 'p', which an earlier line has with another prompt"},
       {"{\"prompt_id\": \"p\", \"prompt\": \"Q\", \"response_id\": 1, \"response\": \"A\", \"score\": "
        "1}\n{\"prompt_id\": "
        "\"p\", \"prompt\": \"Q\", \"response_id\": 1, \"response\": \"A\", \"score\": 1}",
        "in.jsonl:2: 'response_id' is '1', as in line 1"}});
}

TEST(Seed, TheDemosFilesLoad) {
  const std::string seed = std::string(std::getenv("SRLM_SOURCE")) + "/deploy/data/seed/";
  const JudgeTemplate judge = JudgeTemplate::BuiltIn();
  for (const char* name : {"ift.jsonl", "eft.jsonl"}) {
    const auto rows = LoadSft(seed + name, judge);
    EXPECT_TRUE(rows.ok()) << rows.status().message();
  }
  EXPECT_TRUE(LoadPrompts(seed + "prompts.jsonl").ok()) << LoadPrompts(seed + "prompts.jsonl").status().message();
  const auto ranked = LoadRankedAnswers(seed + "evaluation.jsonl");
  ASSERT_TRUE(ranked.ok()) << ranked.status().message();
  EXPECT_EQ(ranked->size(), 60u);
}

}  // namespace
}  // namespace srlm::data
