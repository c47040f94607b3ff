#include "coordinator/cli/row_text.h"

#include <gtest/gtest.h>

namespace srlm::cli {
namespace {

Rows Parsed(const char* text) { return {nlohmann::ordered_json::parse(text)}; }

TEST(DescribeRows, ShowsACandidateWithItsVotes) {
  const std::string text =
      DescribeRows("candidates",
                   Parsed(R"({"round":1,"prompt_id":"p1","sample":2,"text":"An answer.","token_ids":[1,2,3],)"
                          R"("finish_reason":"length","score":3.5,"use":"chosen","reason":"",)"
                          R"("votes":[{"vote":0,"score":4},{"vote":1,"score":3},{"vote":2,"score":null}]})"),
                   80);
  EXPECT_EQ(text, "round 1  p1  sample 2  score 3.50  votes 4 3 -  3 tokens (cut)  chosen\n    An answer.\n");
}

TEST(DescribeRows, ShowsAPairAndWhyThereIsNone) {
  const std::string pair =
      DescribeRows("pairs",
                   Parsed(R"({"round":1,"prompt_id":"p1","prompt":"Q","chosen":"good","rejected":"bad",)"
                          R"("chosen_sample":0,"rejected_sample":3,"chosen_score":4.0,"rejected_score":1.5,)"
                          R"("rule":"extremes","reason":"sample 0 scored 4"})"),
                   80);
  EXPECT_NE(pair.find("extremes: sample 0 scored 4"), std::string::npos) << pair;
  EXPECT_NE(pair.find("4.00 over 1.50"), std::string::npos) << pair;
  const std::string tie = DescribeRows(
      "pairs", Parsed(R"({"round":1,"prompt_id":"p1","prompt":"Q","outcome":"tie","reason":"all at 3"})"), 80);
  EXPECT_NE(tie.find("no pair: all at 3"), std::string::npos) << tie;
}

TEST(DescribeRows, ShowsPromptsAndEventsAsColumns) {
  const std::string prompts = DescribeRows(
      "prompts",
      Parsed(R"({"round":1,"attempt":3,"source":"new","state":"rejected","reason":"too_short","prompt":"Hi"})"), 80);
  EXPECT_NE(prompts.find("attempt 3  new     rejected: too_short  Hi"), std::string::npos) << prompts;
  const std::string events = DescribeRows(
      "events", Parsed(R"({"time_ms":0,"round":0,"level":"info","event":"began","message":"x\u001b[2J"})"), 80);
  EXPECT_NE(events.find("1970-01-01 00:00:00"), std::string::npos) << events;
  EXPECT_EQ(events.find('\x1b'), std::string::npos) << events;
}

TEST(DescribeRows, AFigureThatWasNotMeasuredIsADash) {
  Rows rows = Parsed(R"({"model":"M1","answers_given":{"distinct_1":0.25,"distinct_2":null,"distinct_3":null}})");
  rows.push_back(Parsed(R"({"model":"M2","answers_given":{"distinct_1":0.5,"distinct_2":1.0,"distinct_3":null}})")[0]);
  const std::string text = DescribeRows("evaluations", rows, 100);
  EXPECT_NE(text.find("answers: distinct-2  -      1.000"), std::string::npos) << text;
  EXPECT_EQ(text.find("distinct-3"), std::string::npos) << text;
}

TEST(DescribeRows, SurvivesRowsOfAnotherVersion) {
  for (const char* table : {"prompts", "candidates", "pairs", "events"}) {
    EXPECT_FALSE(DescribeRows(table, Parsed(R"({"round":"?","text":7})"), 80).empty());
  }
}

}  // namespace
}  // namespace srlm::cli
