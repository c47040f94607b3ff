#include "coordinator/cli/run_inputs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "common/base/file.h"

namespace srlm::cli {
namespace {

class CompareWithRunTest : public ::testing::Test {
 protected:
  CompareWithRunTest() {
    std::filesystem::create_directories(folder_);
    config_.model = "/m";
    config_.data.ift = "/ift.jsonl";
    SRLM_CHECK(WriteFileAtomic(folder_ + "/config.yaml", config::ToYaml(config_)).ok(), "");
  }
  ~CompareWithRunTest() override { std::filesystem::remove_all(folder_); }

  const std::string folder_ = ::testing::TempDir() + "/srlm-compare-" + std::to_string(getpid());
  config::RunConfig config_;
};

TEST_F(CompareWithRunTest, FindsNothingInTheSameConfigurationOrANewRun) {
  const auto same = CompareWithRun(config_, folder_);
  ASSERT_TRUE(same.ok()) << same.status().message();
  EXPECT_TRUE(same->empty());
  EXPECT_TRUE(CompareWithRun(config_, folder_ + "/new")->empty());
}

TEST_F(CompareWithRunTest, NamesWhatMayDiffer) {
  config_.workers.replicas = 7;
  const auto lines = CompareWithRun(config_, folder_);
  ASSERT_TRUE(lines.ok()) << lines.status().message();
  ASSERT_EQ(lines->size(), 1U);
  EXPECT_EQ(lines->front(), "workers.replicas: 1 in the run so far, 7 from now on");
}

TEST_F(CompareWithRunTest, RefusesWhatWouldMixResults) {
  config_.dpo.beta = 0.3;
  config_.workers.replicas = 7;
  const auto lines = CompareWithRun(config_, folder_);
  ASSERT_FALSE(lines.ok());
  EXPECT_EQ(lines.status().code(), Code::kFailedPrecondition);
  EXPECT_NE(lines.status().message().find("dpo.beta"), std::string::npos);
  EXPECT_EQ(lines.status().message().find("replicas"), std::string::npos);
}

}  // namespace
}  // namespace srlm::cli
