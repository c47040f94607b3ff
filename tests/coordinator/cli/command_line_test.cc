#include "coordinator/cli/command_line.h"

#include <gtest/gtest.h>

#include <vector>

#include "coordinator/cli/output.h"

namespace srlm::cli {
namespace {

std::variant<Command, int> Parse(std::vector<const char*> words) {
  words.insert(words.begin(), "srlm");
  return ParseCommandLine(static_cast<int>(words.size()), words.data());
}

/// What stderr says of a call that is refused.
std::string Refused(const std::vector<const char*>& words) {
  testing::internal::CaptureStderr();
  const auto parsed = Parse(words);
  const std::string said = testing::internal::GetCapturedStderr();
  const int* const code = std::get_if<int>(&parsed);
  EXPECT_TRUE(code != nullptr && *code == kExitUsage) << said;
  return said;
}

measure::Sampling SamplingOf(std::vector<const char*> more, const char* benchmark) {
  more.insert(more.begin(), {"answer", "model", "--questions", "q", "--out", "o", "--benchmark", benchmark});
  return std::get<AnswerOptions>(std::get<Command>(Parse(more))).sampling;
}

TEST(CommandLine, MtBenchIsAnsweredAsItsAuthorsDo) {
  EXPECT_EQ(SamplingOf({}, "mt-bench").max_new_tokens, 1024);
  EXPECT_EQ(SamplingOf({}, "mt-bench").top_p, 1);
  EXPECT_EQ(SamplingOf({"--max-new-tokens", "8", "--top-p", "0.5"}, "mt-bench").max_new_tokens, 8);
  EXPECT_EQ(SamplingOf({"--top-p", "0.5"}, "mt-bench").top_p, 0.5);
  EXPECT_EQ(SamplingOf({"--temperature", "0.2"}, "alpaca-eval").temperature, 0.2);
  EXPECT_EQ(SamplingOf({}, "alpaca-eval").max_new_tokens, measure::Sampling().max_new_tokens);
  const std::string said =
      Refused({"answer", "model", "--questions", "q", "--out", "o", "--benchmark", "mt-bench", "--temperature", "0.2"});
  EXPECT_NE(said.find("--temperature: mt-bench has one for each category"), std::string::npos) << said;
}

TEST(CommandLine, FlagsThatTheVerdictHasNoUseForAreRefused) {
  for (const char* flag : {"--votes", "--judge-tokens"}) {
    EXPECT_NE(Refused({"evaluate", "model", "--data", "d", flag, "2"}).find(flag), std::string::npos);
    EXPECT_NE(Refused({"compare", "a", "b", "--prompts", "p", "--judge", "j", flag, "2"}).find(flag),
              std::string::npos);
    EXPECT_TRUE(std::holds_alternative<Command>(
        Parse({"evaluate", "model", "--data", "d", "--verdict", "sampled", flag, "2"})));
  }
}

TEST(CommandLine, OneFileForTwoResultsIsRefused) {
  const std::vector<const char*> call = {"compare", "a", "b", "--prompts", "p", "--judge", "j", "--out", "./r.json"};
  for (const char* rows : {"r.json", "./r.json", "x/../r.json"}) {
    std::vector<const char*> words = call;
    words.insert(words.end(), {"--rows", rows});
    EXPECT_NE(Refused(words).find("--rows"), std::string::npos);
  }
  EXPECT_TRUE(std::holds_alternative<Command>(Parse(call)));
}

}  // namespace
}  // namespace srlm::cli
