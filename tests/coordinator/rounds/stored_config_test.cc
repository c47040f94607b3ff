#include "coordinator/rounds/stored_config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "common/base/file.h"

namespace srlm::rounds {
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
  const auto differences = CompareWithRun(config_, folder_);
  ASSERT_TRUE(differences.ok()) << differences.status().message();
  ASSERT_EQ(differences->size(), 1U);
  EXPECT_EQ(differences->front().key, "workers.replicas");
  EXPECT_EQ(differences->front().before, "1");
  EXPECT_EQ(differences->front().after, "7");
}

TEST_F(CompareWithRunTest, RefusesWhatWouldMixResults) {
  config_.dpo.beta = 0.3;
  config_.workers.replicas = 7;
  const auto differences = CompareWithRun(config_, folder_);
  ASSERT_FALSE(differences.ok());
  EXPECT_EQ(differences.status().code(), Code::kFailedPrecondition);
  EXPECT_NE(differences.status().message().find("dpo.beta"), std::string::npos);
  EXPECT_EQ(differences.status().message().find("replicas"), std::string::npos);
}

}  // namespace
}  // namespace srlm::rounds
