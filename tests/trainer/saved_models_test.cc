// Models that a job saves on its way: which there are, that they are those of their steps, and whose they are.
#include "common/base/manifest.h"
#include "common/base/saved_steps.h"
#include "tests/trainer/job_fixture.h"

namespace srlm::trainer {
namespace {

namespace fs = std::filesystem;

std::string ModelId(const std::string& folder) {
  const auto manifest = ReadManifest(folder);
  EXPECT_TRUE(manifest.ok()) << manifest.status().message();
  return manifest.ok() ? manifest->ModelId() : "";
}

class SavedModelsTest : public JobTest {
 protected:
  SavedModelsTest() : options_(OptionsOf(Method::kDpo)) {
    options_.max_steps = 5;
    options_.save_steps = 2;
  }

  std::vector<std::string> Saved() const {
    std::vector<std::string> ids;
    for (const int64_t step : SavedSteps(2, 5)) ids.push_back(ModelId(SavedName(options_.out, step)));
    return ids;
  }

  TrainerOptions options_;
};

TEST_F(SavedModelsTest, TheyAreTheModelsOfJobsOfSoManySteps) {
  ASSERT_TRUE(RunOnThreads(options_, 1).status.ok());
  EXPECT_FALSE(fs::exists(options_.out));
  const auto saved = Saved();
  TrainerOptions plain = options_;
  plain.save_steps = 0;
  for (const auto& [steps, at] : {std::pair{2, 0}, {4, 1}, {5, 2}}) {
    plain.max_steps = steps;
    NameOutputs(plain, "plain" + std::to_string(steps));
    ASSERT_TRUE(RunOnThreads(plain, 1).status.ok());
    EXPECT_EQ(ModelId(plain.out), saved[static_cast<size_t>(at)]) << steps;
  }
}

TEST_F(SavedModelsTest, AJobThatGoesOnKeepsThoseThatAreThereAndSavesTheOthers) {
  options_.checkpoint_steps = 3;
  ASSERT_TRUE(RunOnThreads(options_, 1).status.ok());
  const auto saved = Saved();
  // As a kill after the model of step 4 leaves it.
  fs::remove_all(options_.out + ".checkpoints/step-00000005");
  fs::remove_all(SavedName(options_.out, 5));
  const auto written = fs::last_write_time(SavedName(options_.out, 4) + "/model.safetensors");
  const JobEnd end = RunOnThreads(options_, 1);
  ASSERT_TRUE(end.status.ok()) << end.status.message();
  EXPECT_EQ(Saved(), saved);
  EXPECT_EQ(fs::last_write_time(SavedName(options_.out, 4) + "/model.safetensors"), written);
}

TEST_F(SavedModelsTest, ModelsOfAnotherJobAreRefusedAndStay) {
  ASSERT_TRUE(RunOnThreads(options_, 1).status.ok());
  const auto saved = Saved();
  options_.beta = 0.7;
  JobEnd end = RunOnThreads(options_, 2);
  EXPECT_EQ(end.status.code(), Code::kFailedPrecondition);
  EXPECT_TRUE(end.together);
  EXPECT_NE(end.status.message().find("step-2: a model of another job: beta is 0.1 there and 0.7 now"),
            std::string::npos)
      << end.status.message();
  options_.beta = 0.1;
  fs::remove(SavedName(options_.out, 2) + "/srlm_job.json");
  end = RunOnThreads(options_, 1);
  EXPECT_NE(end.status.message().find("srlm_job.json"), std::string::npos) << end.status.message();
  EXPECT_EQ(Saved(), saved);
}

TEST_F(SavedModelsTest, OneThatCanNoLongerBeMadeIsMissed) {
  options_.checkpoint_steps = 3;
  ASSERT_TRUE(RunOnThreads(options_, 1).status.ok());
  fs::remove_all(SavedName(options_.out, 2));
  const JobEnd end = RunOnThreads(options_, 1);
  EXPECT_EQ(end.status.code(), Code::kFailedPrecondition);
  EXPECT_NE(end.status.message().find("step-2: is missing"), std::string::npos) << end.status.message();
}

TEST_F(SavedModelsTest, AJobWithoutStepsSavesItsModelAsItIs) {
  options_.max_steps = 0;
  options_.epochs = 0;
  ASSERT_TRUE(RunOnThreads(options_, 1).status.ok());
  EXPECT_TRUE(fs::exists(SavedName(options_.out, 0)));
}

}  // namespace
}  // namespace srlm::trainer
