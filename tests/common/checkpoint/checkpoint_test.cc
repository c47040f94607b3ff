#include "common/checkpoint/checkpoint.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <numeric>

#include "common/base/file.h"

namespace srlm::checkpoint {
namespace {

namespace fs = std::filesystem;

class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest() {
    std::iota(weights_.begin(), weights_.end(), 0.5f);
    std::iota(moments_.begin(), moments_.end(), -3.0f);
  }
  ~CheckpointTest() override { fs::remove_all(folder_); }

  Result<std::string> Save(int64_t step, int keep = 2) {
    const Part parts[] = {{"weights", weights_}, {"first_moment", moments_}};
    return CheckpointFolder(folder_, keep).Save(StateAt(step), parts);
  }
  static TrainingState StateAt(int64_t step) { return {step, 100, 7, "0123456789abcdef", "ff00", "beta=0.1"}; }

  /// Flips one bit of the byte at `offset` of a file.
  static void Flip(const std::string& path, int64_t offset) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(offset);
    file.put(byte);
  }

  std::string folder_ = testing::TempDir() + "srlm_checkpoint_" + std::to_string(getpid());
  std::vector<float> weights_ = std::vector<float>(1000), moments_ = std::vector<float>(500);
};

TEST_F(CheckpointTest, ReadsBackWhatWasSaved) {
  const auto path = Save(12);
  ASSERT_TRUE(path.ok()) << path.status().message();
  std::vector<float> weights(1000), moments(500);
  const MutablePart parts[] = {{"first_moment", moments}, {"weights", weights}};
  const auto state = Read(*path, parts);
  ASSERT_TRUE(state.ok()) << state.status().message();
  EXPECT_EQ(*state, StateAt(12));
  EXPECT_EQ(weights, weights_);
  EXPECT_EQ(moments, moments_);
}

TEST_F(CheckpointTest, KeepsTheLastOnesInTheOrderOfSteps) {
  for (const int64_t step : {2, 10, 9999999, 11}) ASSERT_TRUE(Save(step, 4).ok());
  ASSERT_TRUE(Save(12, 2).ok());
  const auto all = CheckpointFolder(folder_, 2).List();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_TRUE(all[0].ends_with("step-00000012"));
  EXPECT_TRUE(all[1].ends_with("step-09999999"));
}

TEST_F(CheckpointTest, RefusesAFlippedBitAnywhere) {
  const auto path = Save(1);
  ASSERT_TRUE(path.ok());
  for (const auto& entry : fs::directory_iterator(*path)) {
    const auto bytes = static_cast<int64_t>(entry.file_size());
    for (const int64_t offset : {int64_t{0}, bytes / 3, bytes / 2, bytes - 2}) {
      Flip(entry.path(), offset);
      EXPECT_EQ(Verify(*path).code(), Code::kDataLoss) << entry.path() << " byte " << offset;
      std::vector<float> weights(1000), moments(500);
      const MutablePart parts[] = {{"weights", weights}, {"first_moment", moments}};
      EXPECT_EQ(Read(*path, parts).status().code(), Code::kDataLoss);
      Flip(entry.path(), offset);
    }
  }
  EXPECT_TRUE(Verify(*path).ok());
}

TEST_F(CheckpointTest, GoesBackToTheNewestWholeOne) {
  EXPECT_EQ(CheckpointFolder(folder_, 3).NewestWhole().status().code(), Code::kNotFound);
  const auto first = Save(1, 3), second = Save(2, 3);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(*CheckpointFolder(folder_, 3).NewestWhole(), *second);
  fs::resize_file(*second + "/weights.f32", 3996);
  EXPECT_EQ(*CheckpointFolder(folder_, 3).NewestWhole(), *first);
  fs::remove(*first + "/checkpoint.json");
  EXPECT_EQ(CheckpointFolder(folder_, 3).NewestWhole().status().code(), Code::kDataLoss);
}

TEST_F(CheckpointTest, SavesAStepAgainAndClearsWhatAKilledJobLeft) {
  ASSERT_TRUE(Save(3).ok());
  fs::create_directories(folder_ + "/.tmp-step-00000004");
  weights_[0] = 42;
  const auto path = Save(3);
  ASSERT_TRUE(path.ok());
  std::vector<float> weights(1000);
  const MutablePart parts[] = {{"weights", weights}};
  ASSERT_TRUE(Read(*path, parts).ok());
  EXPECT_EQ(weights[0], 42);
  EXPECT_FALSE(fs::exists(folder_ + "/.tmp-step-00000004"));
}

TEST_F(CheckpointTest, SaysWhatIsWrongWithPartsOfAnotherModel) {
  const auto path = Save(1);
  std::vector<float> other(999);
  const MutablePart wrong_size[] = {{"weights", other}}, unknown[] = {{"biases", other}};
  EXPECT_EQ(Read(*path, wrong_size).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Read(*path, unknown).status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace srlm::checkpoint
