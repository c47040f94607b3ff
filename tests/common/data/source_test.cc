#include "common/data/source.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/common/data/expect_contains.h"

namespace srlm::data {
namespace {

Source Load(const std::string& rows) {
  const TemporaryFolder folder;
  auto source = LoadSource(folder.Write("in.jsonl", rows));
  EXPECT_TRUE(source.ok()) << source.status().message();
  return source.ok() ? *source : Source();
}

std::string Failure(const std::string& rows) {
  const TemporaryFolder folder;
  return LoadSource(folder.Write("in.jsonl", rows)).status().message();
}

int64_t CountRejects(const Source& source, const std::string& reason) {
  return std::ranges::count(source.rejects, reason, &Reject::reason);
}

TEST(Source, RankedAnswersComeTogetherByPrompt) {
  const Source source = Load(R"({"prompt_id": "a", "prompt_text": "Why?", "response_text": "So.", "quality_score": 0.5}
{"prompt_id": "b", "prompt": "How?", "response": "Thus.", "response_id": "b-1"}
{"prompt_id": "a", "prompt_text": "Why?", "response_text": "Because.", "quality_score": 0.9}
{"prompt_id": "a", "prompt_text": "Why?", "response_text": "So.", "quality_score": 0.1}
{"prompt_id": "a", "prompt_text": "Why?", "response_text": " ", "quality_score": 0.1}
)");
  EXPECT_EQ(source.format, SourceFormat::kRanked);
  EXPECT_EQ(source.rows, 5);
  ASSERT_EQ(source.prompts.size(), 2u);
  ASSERT_EQ(source.prompts[0].answers.size(), 2u);
  EXPECT_EQ(source.prompts[0].answers[1].response, "Because.");
  EXPECT_EQ(source.prompts[0].answers[1].quality, 0.9);
  EXPECT_FALSE(source.prompts[1].answers[0].quality);
  EXPECT_EQ(CountRejects(source, "same_answer"), 1);
  EXPECT_EQ(CountRejects(source, "empty_answer"), 1);
}

constexpr char kMessages[] = R"({"message_id": "r2", "parent_id": "p", "text": "Worse", "role": "assistant", "rank": 1}
{"message_id": "p", "parent_id": null, "text": "Why?", "role": "prompter", "rank": null, "lang": "en"}
{"message_id": "r1", "parent_id": "p", "text": "Best", "role": "assistant", "rank": 0, "review_result": true}
{"message_id": "r3", "parent_id": "p", "text": "Spam", "role": "assistant", "rank": 2, "review_result": false}
{"message_id": "r4", "parent_id": "p", "text": "Gone", "role": "assistant", "deleted": true}
{"message_id": "f", "parent_id": "r1", "text": "And then?", "role": "prompter"}
{"message_id": "g", "parent_id": "f", "text": "Nothing", "role": "assistant", "rank": 0}
{"message_id": "o", "parent_id": "elsewhere", "text": "Lost", "role": "assistant", "rank": 0}
{"message_id": "q", "text": "Deleted prompt", "role": "prompter", "deleted": true}
{"message_id": "s", "text": "Nobody answered", "role": "prompter"}
)";

TEST(Source, OasstMessagesGiveTheFirstTurnWithItsRanks) {
  const Source source = Load(kMessages);
  EXPECT_EQ(source.format, SourceFormat::kOasstMessages);
  ASSERT_EQ(source.prompts.size(), 1u);
  const SourcePrompt& prompt = source.prompts[0];
  EXPECT_EQ(prompt.prompt_id, "p");
  ASSERT_EQ(prompt.answers.size(), 2u);
  EXPECT_EQ(prompt.answers[0].response, "Worse");  // a reply may stand before its prompt
  EXPECT_GT(*prompt.answers[1].quality, *prompt.answers[0].quality);
  EXPECT_EQ(CountRejects(source, "not_first_turn"), 2);
  EXPECT_EQ(CountRejects(source, "failed_review"), 1);
  EXPECT_EQ(CountRejects(source, "deleted"), 2);
  EXPECT_EQ(CountRejects(source, "no_prompt"), 1);
  EXPECT_EQ(CountRejects(source, "no_answer"), 1);
}

TEST(Source, OasstTreesGiveTheFirstTurnWithItsRanks) {
  const Source source = Load(
      R"({"message_tree_id": "p", "tree_state": "ready", "prompt": {"message_id": "p", "text": "Why?", "role": "prompter", "replies": [{"message_id": "r1", "text": "Best", "role": "assistant", "rank": 0, "replies": [{"message_id": "f", "text": "And?", "role": "prompter"}]}, {"message_id": "r2", "text": "Worse", "role": "assistant", "rank": 1}, {"message_id": "r3", "text": "Bad", "role": "assistant", "rank": 2, "deleted": true}]}}
{"message_tree_id": "q", "prompt": {"message_id": "q", "text": "Alone", "role": "prompter"}})");
  EXPECT_EQ(source.format, SourceFormat::kOasstTrees);
  ASSERT_EQ(source.prompts.size(), 1u);
  ASSERT_EQ(source.prompts[0].answers.size(), 2u);
  EXPECT_GT(*source.prompts[0].answers[0].quality, *source.prompts[0].answers[1].quality);
  EXPECT_EQ(CountRejects(source, "deleted"), 1);
  EXPECT_EQ(CountRejects(source, "no_answer"), 1);
}

TEST(Source, UltraFeedbackRowsAreOnePromptEach) {
  const Source source = Load(
      R"({"source": "evol_instruct", "instruction": "Why?", "models": ["a", "b"], "completions": [{"model": "a", "response": "Best", "overall_score": 8.5, "critique": "good"}, {"model": "b", "response": "Worse", "overall_score": 3.0}, {"model": "c", "response": "Unscored", "overall_score": null}]})");
  EXPECT_EQ(source.format, SourceFormat::kUltraFeedback);
  ASSERT_EQ(source.prompts.size(), 1u);
  EXPECT_EQ(source.prompts[0].prompt_id.size(), 16u);  // by the hash of its text
  ASSERT_EQ(source.prompts[0].answers.size(), 3u);
  EXPECT_EQ(source.prompts[0].answers[0].quality, 8.5);
  EXPECT_FALSE(source.prompts[0].answers[2].quality);
}

TEST(Source, PairsMayBeTextsOrConversations) {
  const Source source = Load(
      R"({"prompt": "Why?", "prompt_id": "p", "chosen": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Best"}], "rejected": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Worse"}], "score_chosen": 8.0, "score_rejected": 5.0}
{"prompt": "How?", "prompt_id": "q", "chosen": "Good", "rejected": "Bad"}
{"prompt": "Long", "prompt_id": "r", "chosen": [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}, {"role": "user", "content": "3"}, {"role": "assistant", "content": "4"}], "rejected": "Bad"})");
  EXPECT_EQ(source.format, SourceFormat::kBinarized);
  ASSERT_EQ(source.prompts.size(), 2u);
  EXPECT_EQ(source.prompts[0].answers[0].quality, 8.0);
  EXPECT_EQ(source.prompts[1].answers[1].response, "Bad");
  EXPECT_LT(*source.prompts[1].answers[1].quality, *source.prompts[1].answers[0].quality);
  EXPECT_EQ(CountRejects(source, "not_first_turn"), 1);
}

TEST(Source, ASystemMessageIsNoTurn) {
  const std::string answer = R"(, {"role": "user", "content": "Why?"}, {"role": "assistant", "content": ")";
  const auto pair = [&](const std::string& system, const std::string& other) {
    const std::string begin = R"([{"role": "system", "content": ")";
    return R"({"prompt": "Why?", "chosen": )" + begin + system + R"("})" + answer + R"(Best"}], "rejected": )" + begin +
           other + R"("})" + answer + R"(Worse"}]})" + "\n";
  };
  const Source source = Load(pair("Be brief.", "Be brief.") + pair("Be long.", "Be long.") + pair("A", "B"));
  ASSERT_EQ(source.prompts.size(), 2u);  // another system message makes another prompt
  EXPECT_EQ(source.prompts[0].system, "Be brief.");
  EXPECT_EQ(source.prompts[0].prompt, "Why?");
  ASSERT_EQ(source.prompts[0].answers.size(), 2u);
  EXPECT_EQ(source.prompts[0].answers[0].response, "Best");
  EXPECT_EQ(source.prompts[1].system, "Be long.");
  EXPECT_NE(source.prompts[0].prompt_id, source.prompts[1].prompt_id);
  EXPECT_EQ(CountRejects(source, "not_first_turn"), 0);
  EXPECT_EQ(CountRejects(source, "different_prompts"), 1);
  ExpectContains(Failure(R"({"prompt": "Why?", "prompt_id": "a", "chosen": "A", "rejected": "B"})"
                         "\n"
                         R"({"prompt_id": "a", "prompt": [{"role": "system", "content": "Be brief."}, )"
                         R"({"role": "user", "content": "Why?"}], "chosen": "A", "rejected": "B"})"),
                 "in.jsonl:2: prompt 'a' is in an earlier line with another system message");
}

TEST(Source, ThePromptOfAPairMayBeInItsMessagesAlone) {
  const Source source = Load(
      R"({"chosen": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Best"}], "rejected": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Worse"}]}
{"prompt": [{"role": "user", "content": "How?"}], "chosen": [{"role": "assistant", "content": "Best"}], "rejected": [{"role": "assistant", "content": "Worse"}]}
{"prompt": [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}, {"role": "user", "content": "3"}], "chosen": "A", "rejected": "B"})");
  ASSERT_EQ(source.prompts.size(), 2u);
  EXPECT_EQ(source.prompts[0].prompt, "Why?");
  EXPECT_EQ(source.prompts[1].prompt, "How?");
  EXPECT_EQ(source.prompts[1].answers[1].response, "Worse");
  EXPECT_EQ(CountRejects(source, "not_first_turn"), 1);
  ExpectContains(Failure(R"({"chosen": "A", "rejected": "B"})"), "'prompt' is missing");
}

TEST(Source, ArgillasPairsAreReadAsPairs) {
  const Source source = Load(
      R"({"source": "x", "instruction": "Why?", "chosen_response": "Best", "rejected_response": "Worse", "chosen_avg_rating": 4.5, "rejected_avg_rating": 3})");
  EXPECT_EQ(source.format, SourceFormat::kBinarized);
  ASSERT_EQ(source.prompts.size(), 1u);
  EXPECT_EQ(source.prompts[0].prompt, "Why?");
  EXPECT_EQ(source.prompts[0].answers[0].quality, 4.5);
  EXPECT_EQ(source.prompts[0].answers[1].response, "Worse");
}

std::vector<std::optional<double>> Qualities(const Source& source) {
  std::vector<std::optional<double>> qualities;
  for (const SourceAnswer& answer : source.prompts.at(0).answers) qualities.push_back(answer.quality);
  return qualities;
}

TEST(Source, PairsOfOnePromptWithoutScoresKeepTheirOrder) {
  const std::string better = R"({"prompt": "Why?", "chosen": "A", "rejected": "B"})";
  const std::string other = R"({"prompt": "Why?", "chosen": "C", "rejected": "D"})";
  const std::string between = R"({"prompt": "Why?", "chosen": "B", "rejected": "C"})";
  using Wanted = std::vector<std::optional<double>>;  // of A, B, C, D
  EXPECT_EQ(Qualities(Load(better + "\n" + other)), (Wanted{1, 0, 1, 0}));
  EXPECT_EQ(Qualities(Load(better + "\n" + other + "\n" + between)), (Wanted{3, 2, 1, 0}));
  const std::string scored =
      R"({"prompt": "Why?", "chosen": "B", "rejected": "C", "score_chosen": 8, "score_rejected": 5})";
  EXPECT_EQ(Qualities(Load(better + "\n" + other + "\n" + scored)), (Wanted{3, 2, 1, 0}));
  const std::string circle = R"({"prompt": "Why?", "chosen": "D", "rejected": "A"})";
  EXPECT_EQ(Qualities(Load(better + "\n" + other + "\n" + between + "\n" + circle)), Wanted(4));
}

TEST(Source, HelpSteerAnswersOfOnePromptComeTogether) {
  const Source source = Load(
      R"({"prompt": "c#", "response": "A language.", "helpfulness": 3, "correctness": 4, "verbosity": 1}
{"prompt": "c#", "response": "A note.", "helpfulness": 1, "correctness": 4, "verbosity": 1}
{"prompt": "Hi<extra_id_1>Assistant\nHello<extra_id_1>User\nc#", "response": "A language.", "helpfulness": 3})");
  EXPECT_EQ(source.format, SourceFormat::kHelpSteer);
  ASSERT_EQ(source.prompts.size(), 1u);
  ASSERT_EQ(source.prompts[0].answers.size(), 2u);
  EXPECT_EQ(source.prompts[0].answers[0].quality, 3.0);
  EXPECT_EQ(CountRejects(source, "not_first_turn"), 1);
}

TEST(Source, HelpSteer3PreferencesArePairs) {
  const auto row = [](const std::string& context, int preference) {
    return R"({"domain": "general", "context": [)" + context +
           R"({"role": "user", "content": "Why?"}], "response1": "A", "response2": "B", "overall_preference": )" +
           std::to_string(preference) + "}\n";
  };
  const Source first = Load(row("", -2));
  EXPECT_EQ(first.format, SourceFormat::kHelpSteer3);
  ASSERT_EQ(first.prompts.size(), 1u);
  EXPECT_EQ(first.prompts[0].answers[0].response, "A");
  EXPECT_GT(*first.prompts[0].answers[0].quality, *first.prompts[0].answers[1].quality);
  const Source second = Load(row("", 1) + row("", 0) +
                             row(R"({"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}, )", 1));
  ASSERT_EQ(second.prompts.size(), 1u);
  EXPECT_EQ(second.prompts[0].answers[0].response, "B");
  EXPECT_EQ(CountRejects(second, "no_preference"), 1);
  EXPECT_EQ(CountRejects(second, "not_first_turn"), 1);
}

TEST(Source, AnOasstMessageGivenTwiceCountsOnce) {
  const std::string prompt = R"({"message_id": "p", "text": "Why?", "role": "prompter"})";
  const std::string reply =
      R"({"message_id": "r", "parent_id": "p", "text": "So.", "role": "assistant", "rank": 0, "lang": "en"})";
  const std::string other_rank =
      R"({"message_id": "r", "parent_id": "p", "text": "So.", "role": "assistant", "rank": 1, "lang": "en"})";
  const Source source = Load(prompt + "\n" + reply + "\n" + prompt + "\n" + reply);
  ASSERT_EQ(source.prompts.size(), 1u);
  EXPECT_EQ(source.prompts[0].answers.size(), 1u);
  EXPECT_EQ(CountRejects(source, "same_message"), 2);
  ExpectContains(Failure(prompt + "\n" + reply + "\n" + other_rank), "in.jsonl:3: message 'r' is in ");
  ExpectContains(Failure(prompt + "\n" + reply + "\n" + other_rank), "in.jsonl:2 too");

  const auto tree = [](const std::string& text) {
    return R"({"message_tree_id": "p", "prompt": {"message_id": "p", "text": "Why?", "role": "prompter", "replies": )"
           R"([{"message_id": "r", "text": ")" +
           text + R"(", "role": "assistant", "rank": 0}]}})" + "\n";
  };
  const Source trees = Load(tree("So.") + tree("So."));
  ASSERT_EQ(trees.prompts.size(), 1u);
  EXPECT_EQ(trees.prompts[0].answers.size(), 1u);
  EXPECT_EQ(CountRejects(trees, "same_message"), 2);
  ExpectContains(Failure(tree("So.") + tree("Thus.")), "in.jsonl:2: message 'r' is in ");
}

TEST(Source, WrongRowsAreNamedByTheirLines) {
  ExpectContains(Failure(""), "has no rows");
  ExpectContains(Failure(R"({"text": "a"})"), "in.jsonl:1: is of no known format");
  ExpectContains(Failure("{\"prompt_id\": \"\xff\"}"), "in.jsonl:1: not valid JSON");
  ExpectContains(
      Failure(R"({"prompt_id": "a", "prompt_text": "Why?", "response_text": "So.", "quality_score": "good"})"),
      "'quality_score': wanted a number");
  ExpectContains(Failure(R"({"prompt_id": "a", "prompt_text": "Why?", "response_text": "So."}
{"prompt_id": "a", "prompt_text": "How?", "response_text": "So."})"),
                 "in.jsonl:2: prompt 'a' is in an earlier line with another text");
  ExpectContains(Failure(R"({"prompt_id": "a", "prompt": "Why?", "response_id": "r", "response": "So."}
{"prompt_id": "b", "prompt": "How?", "response_id": "r", "response": "So."}
{"prompt_id": "a", "prompt": "Why?", "response_id": "r", "response": "Because."})"),
                 "in.jsonl:3: response 'r' of prompt 'a' is in ");
  ExpectContains(Failure(R"({"instruction": "Why?", "completions": ["So."]})"),
                 "'completions': element 1 is no object");
  ExpectContains(LoadSource("/no/such/file.jsonl").status().message(), "/no/such/file.jsonl");
}

TEST(Source, FormatsHaveNames) {
  for (const std::string& name : SourceFormatNames()) {
    const auto format = SourceFormatFromName(name);
    ASSERT_TRUE(format) << name;
    EXPECT_EQ(SourceFormatName(*format), name);
  }
  EXPECT_EQ(SourceFormatNames().size(), 7u);
  EXPECT_FALSE(SourceFormatFromName("parquet"));
}

}  // namespace
}  // namespace srlm::data
