#include "common/data/meta_template.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace srlm::data {
namespace {

TEST(MetaTemplate, TheBuiltInOneIsTheFileThatUsersStartFrom) {
  const auto file = MetaTemplate::Load(std::string(std::getenv("SRLM_SOURCE")) + "/deploy/templates/meta_judge.txt");
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ(file->text(), MetaTemplate::BuiltIn().text());
  EXPECT_EQ(MetaTemplate::Load("")->text(), MetaTemplate::BuiltIn().text());
}

TEST(MetaTemplate, AllThreeArePutInAtOnce) {
  const auto made = MetaTemplate::Parse("{judgement_b}|{judge_prompt}|{judgement_a}", "mine");
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->Fill("ask {judgement_a}", "first", "second {judge_prompt}"),
            "second {judge_prompt}|ask {judgement_a}|first");
}

TEST(MetaTemplate, AVariableThatIsMissingOrStandsTwiceIsNamed) {
  for (const auto& [text, what] :
       {std::pair{"{judge_prompt} {judgement_a}", "{judgement_b} is missing"},
        {"{judgement_a} {judgement_b}", "{judge_prompt} is missing"},
        {"{judge_prompt} {judgement_a} {judgement_b} {judgement_b}", "{judgement_b} stands more than once"}}) {
    const auto made = MetaTemplate::Parse(text, "mine.txt");
    ASSERT_FALSE(made.ok()) << text;
    EXPECT_EQ(made.status().code(), Code::kInvalidArgument);
    EXPECT_NE(made.status().message().find(what), std::string::npos) << made.status().message();
    EXPECT_NE(made.status().message().find("mine.txt"), std::string::npos) << made.status().message();
  }
}

}  // namespace
}  // namespace srlm::data
