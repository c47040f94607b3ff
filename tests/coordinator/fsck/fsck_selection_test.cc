// A run that chose among saved models is clean; each kind of damage to the choice is one finding.
#include <filesystem>

#include "coordinator/fsck/fsck.h"
#include "tests/coordinator/fsck/damaged_run.h"

namespace srlm::fsck {
namespace {

/// Its job saved models after 1 and after 2 steps, of which the first is the better one.
class FsckSelectionTest : public DamagedRunTest {
 protected:
  static void SetUpTestSuite() {
    made_ = std::make_unique<GoodRun>(
        std::vector<std::string>{"dpo.selection_steps=1", "data.validation_prompts=validation.jsonl"},
        [](const std::string& model) { return model == "M2.step-1" ? 2 : 1; });
  }
};

constexpr char kCheck[] = "choice of checkpoints";

TEST_F(FsckSelectionTest, ARunThatChoseIsCleanAndItsDigestCoversTheChoice) {
  const Report report = Check(good());
  EXPECT_EQ(report.found(), 0) << report.findings().front().where << report.findings().front().what;
  for (const char* kind : {"validation answers", "validation comparisons", "selected steps"})
    EXPECT_TRUE(report.digest.kinds.contains(kind)) << kind;
  const Report other = Check(Damaged("UPDATE jobs SET selected_step = 2 WHERE job_id = 'dpo-1'"));
  for (const auto& [kind, hash] : report.digest.kinds)
    EXPECT_EQ(other.digest.kinds.at(kind) == hash, kind != "selected steps") << kind;
}

TEST_F(FsckSelectionTest, AnswersAndComparisonsAreThereOnce) {
  ExpectOnly(Damaged("DELETE FROM comparisons WHERE model = 'M2.step-2' AND prompt = 1 AND backward = 1"), kCheck,
             "M2.step-2 against M2.step-1, prompt 1, backward", "has 0 votes of 1");
  ExpectOnly(Damaged("UPDATE comparisons SET model_id = 'x' WHERE model = 'M2.step-2' AND prompt = 1 AND backward = 1"),
             kCheck, "prompt 1, backward", "and M1 is");
  ExpectOnly(Damaged("DELETE FROM evaluation_answers WHERE model = 'M2.step-2' AND prompt = 2;"
                     "DELETE FROM comparisons WHERE model = 'M2.step-2' AND prompt = 2"),
             kCheck, "model M2.step-2, prompt 2", "it is missing");
}

TEST_F(FsckSelectionTest, TheChoiceFollowsFromTheComparisons) {
  ExpectOnly(Damaged("UPDATE jobs SET selected_step = 2 WHERE job_id = 'dpo-1'"), kCheck, "jobs, dpo-1",
             "the comparisons choose 1");
  ExpectOnly(Damaged("UPDATE jobs SET selected_step = -1 WHERE job_id = 'dpo-1'"), kCheck, "jobs, dpo-1",
             "no model was chosen");
}

TEST_F(FsckSelectionTest, WhatIsLeftOfTheOthersIsNamed) {
  const std::string run = Copy();
  std::filesystem::copy(run + "/models/M2", run + "/models/M2.step-2");
  ExpectOnly(run, "models", "models/M2.step-2", "M2 was chosen");
}

}  // namespace
}  // namespace srlm::fsck
