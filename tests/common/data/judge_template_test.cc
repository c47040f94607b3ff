#include "common/data/judge_template.h"

#include <gtest/gtest.h>

#include "common/base/file.h"
#include "tests/common/data/expect_contains.h"

namespace srlm::data {
namespace {

TEST(JudgeTemplate, TextInsideThePromptIsNeverAMark) {
  const Result<JudgeTemplate> judge = JudgeTemplate::Parse("P={prompt} R={response}.", "t");
  ASSERT_TRUE(judge.ok());
  EXPECT_EQ(judge->Fill("say {response}", "and {prompt}"), "P=say {response} R=and {prompt}.");
  EXPECT_EQ(judge->Fill("", ""), "P= R=.");
}

TEST(JudgeTemplate, TheResponseMayStandFirst) {
  const Result<JudgeTemplate> judge = JudgeTemplate::Parse("{response}|{prompt}", "t");
  ASSERT_TRUE(judge.ok());
  EXPECT_EQ(judge->Fill("p", "r"), "r|p");
}

TEST(JudgeTemplate, BothMarksMustStandOnce) {
  ExpectContains(JudgeTemplate::Parse("{prompt}", "t.txt").status().message(), "t.txt: {response} is missing");
  ExpectContains(JudgeTemplate::Parse("{prompt}{prompt}{response}", "t.txt").status().message(),
                 "t.txt: {prompt} stands more than once");
  EXPECT_FALSE(JudgeTemplate::Parse("", "t.txt").ok());
}

TEST(JudgeTemplate, FilesAreReadWithoutTheirLastLineBreak) {
  const TemporaryFolder folder;
  const Result<JudgeTemplate> judge = JudgeTemplate::Load(folder.Write("t.txt", "{prompt}\n{response}\n"));
  ASSERT_TRUE(judge.ok());
  EXPECT_EQ(judge->Fill("a", "b"), "a\nb");
  ExpectContains(JudgeTemplate::Load(folder.Path("none.txt")).status().message(), "none.txt");
}

TEST(JudgeTemplate, BuiltInIsTheFileThatUsersStartFrom) {
  const Result<JudgeTemplate> file =
      JudgeTemplate::Load(std::string(std::getenv("SRLM_SOURCE")) + "/deploy/templates/judge.txt");
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ(JudgeTemplate::BuiltIn().text(), file->text());
  EXPECT_EQ(JudgeTemplate::Load("")->text(), file->text());
}

}  // namespace
}  // namespace srlm::data
