#include "common/checkpoint/checkpoint.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <numeric>

namespace srlm::checkpoint {
namespace {

namespace fs = std::filesystem;

class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest() {
    std::iota(weights_.begin(), weights_.end(), 0.5f);
    std::iota(reference_.begin(), reference_.end(), -3.0);
  }
  ~CheckpointTest() override { fs::remove_all(folder_); }

  Result<std::string> Save(int64_t step, int keep = 2) {
    const Part parts[] = {PartOf("weights", weights_), PartOf("reference", reference_)};
    return CheckpointFolder(folder_, keep).Save(StateAt(step), parts);
  }
  static TrainingState StateAt(int64_t step) {
    return {{"0123456789abcdef", "ff00", {{"beta", "0.1"}, {"ranks", "2"}}}, step, 1000 * step, 0.1 * 3, 1.5, 0.7};
  }
  std::vector<std::string> Steps() const {
    std::vector<std::string> names;
    const auto all = CheckpointFolder(folder_, 1).List();
    EXPECT_TRUE(all.ok());
    for (const std::string& path : *all) names.push_back(fs::path(path).filename());
    return names;
  }
  Newest FindNewest() const {
    auto newest = CheckpointFolder(folder_, 3).FindNewest();
    EXPECT_TRUE(newest.ok()) << newest.status().message();
    return std::move(newest).value();
  }
  std::string PathOf(const std::string& name) const { return folder_ + "/" + name; }

  /// The values of a checkpoint's file; nothing where it cannot be read.
  template <typename T>
  static std::vector<T> Values(const std::string& path, const std::string& file, size_t count) {
    const auto opened = PartFile::Open(path, file, count * sizeof(T));
    if (!opened.ok()) return {};
    std::vector<T> values(count);
    opened->Read(0, std::as_writable_bytes(std::span(values)));
    return values;
  }

  /// Flips one bit of the byte at `offset` of a file.
  static void Flip(const std::string& path, int64_t offset) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(offset);
    file.put(byte);
  }

  std::string folder_ = testing::TempDir() + "srlm_checkpoint_" + std::to_string(getpid());
  std::vector<float> weights_ = std::vector<float>(1000);
  std::vector<double> reference_ = std::vector<double>(500);
};

TEST_F(CheckpointTest, ReadsBackWhatWasSaved) {
  const auto path = Save(12);
  ASSERT_TRUE(path.ok()) << path.status().message();
  EXPECT_EQ(*ReadState(*path), StateAt(12));
  EXPECT_EQ(Values<float>(*path, "weights.f32", 1000), weights_);
  EXPECT_EQ(Values<double>(*path, "reference.f64", 500), reference_);
}

TEST_F(CheckpointTest, KeepsTheNewOneAndTheNewestBeforeIt) {
  for (const int64_t step : {2, 10, 9999999, 11}) ASSERT_TRUE(Save(step, 4).ok());
  EXPECT_EQ(Steps(), std::vector<std::string>({"step-00000002", "step-00000010", "step-00000011"}));
  ASSERT_TRUE(Save(12, 2).ok());
  EXPECT_EQ(Steps(), std::vector<std::string>({"step-00000011", "step-00000012"}));
  ASSERT_TRUE(Save(5, 1).ok());  // of a job that went back: what it has just verified stays
  EXPECT_EQ(Steps(), std::vector<std::string>({"step-00000005"}));
}

TEST_F(CheckpointTest, TornOnesAreNotCountedAsKept) {
  for (const int64_t step : {1, 2, 3}) ASSERT_TRUE(Save(step, 3).ok());
  Flip(PathOf("step-00000003/weights.f32"), 17);
  fs::remove(PathOf("step-00000002/reference.f64"));
  ASSERT_TRUE(Save(4, 2).ok());
  EXPECT_EQ(Steps(), std::vector<std::string>({"step-00000001", "step-00000004"}));
}

TEST_F(CheckpointTest, RefusesAFlippedBitAnywhere) {
  const auto path = Save(1);
  ASSERT_TRUE(path.ok());
  for (const auto& entry : fs::directory_iterator(*path)) {
    const auto bytes = static_cast<int64_t>(entry.file_size());
    for (const int64_t offset : {int64_t{0}, bytes / 3, bytes / 2, bytes - 2}) {
      Flip(entry.path(), offset);
      const Status status = Verify(*path);
      EXPECT_EQ(status.code(), Code::kDataLoss) << entry.path() << " byte " << offset;
      EXPECT_NE(status.message().find(entry.path().string()), std::string::npos) << status.message();
      // Two ranks share the files out: one of them finds it, both where it is the manifest.
      const Status first = Verify(*path, 0, 2), second = Verify(*path, 1, 2);
      EXPECT_NE(first.ok() && second.ok(), true);
      Flip(entry.path(), offset);
    }
  }
  EXPECT_TRUE(Verify(*path).ok());
}

TEST_F(CheckpointTest, GoesBackToTheNewestWholeOneAndNamesTheFilesOfTheOthers) {
  EXPECT_TRUE(FindNewest().path.empty());
  for (const int64_t step : {1, 2, 3}) ASSERT_TRUE(Save(step, 3).ok());
  EXPECT_EQ(FindNewest().path, PathOf("step-00000003"));
  EXPECT_TRUE(FindNewest().refused.empty());
  fs::resize_file(PathOf("step-00000003/weights.f32"), 3996);
  fs::remove(PathOf("step-00000002/reference.f64"));
  const Newest newest = FindNewest();
  EXPECT_EQ(newest.path, PathOf("step-00000001"));
  ASSERT_EQ(newest.refused.size(), 2u);
  EXPECT_NE(newest.refused[0].find("step-00000003/weights.f32"), std::string::npos) << newest.refused[0];
  EXPECT_NE(newest.refused[1].find("step-00000002/reference.f64"), std::string::npos) << newest.refused[1];
  fs::remove(PathOf("step-00000001/checkpoint.json"));
  EXPECT_TRUE(FindNewest().path.empty());
  EXPECT_NE(FindNewest().refused[2].find("checkpoint.json"), std::string::npos);
}

TEST_F(CheckpointTest, SavesAStepAgainAndClearsWhatAKilledJobLeft) {
  ASSERT_TRUE(Save(3).ok());
  fs::create_directories(PathOf(".tmp-step-00000004"));
  weights_[0] = 42;
  const auto path = Save(3);
  ASSERT_TRUE(path.ok());
  EXPECT_EQ(Values<float>(*path, "weights.f32", 1000)[0], 42);
  size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder_)) ++entries;
  EXPECT_EQ(entries, 1u);
}

TEST_F(CheckpointTest, AKillBetweenTheTwoRenamesLosesNothing) {
  ASSERT_TRUE(Save(3).ok());
  fs::rename(PathOf("step-00000003"), PathOf(".old-step-00000003"));  // the new one is still named .tmp-
  fs::create_directories(PathOf(".tmp-step-00000003"));
  EXPECT_EQ(FindNewest().path, PathOf("step-00000003"));
  fs::create_directories(PathOf(".old-step-00000003"));  // killed after both
  EXPECT_EQ(FindNewest().path, PathOf("step-00000003"));
  EXPECT_FALSE(fs::exists(PathOf(".old-step-00000003")));
  EXPECT_FALSE(fs::exists(PathOf(".tmp-step-00000003")));
}

TEST_F(CheckpointTest, AFailedSaveLeavesWhatWasThere) {
  ASSERT_TRUE(Save(3).ok());
  const Part parts[] = {PartOf("weights", weights_), PartOf("no/such/folder", reference_)};
  EXPECT_FALSE(CheckpointFolder(folder_, 1).Save(StateAt(3), parts).ok());
  EXPECT_EQ(FindNewest().path, PathOf("step-00000003"));
  EXPECT_FALSE(fs::exists(PathOf(".tmp-step-00000003")));
  EXPECT_EQ(CheckpointFolder(folder_ + "/no/parent", 1).Save(StateAt(3), {}).status().code(), Code::kNotFound);
}

TEST_F(CheckpointTest, SaysWhatIsWrongWithPartsOfAnotherModel) {
  const auto path = Save(1);
  EXPECT_EQ(PartFile::Open(*path, "weights.f32", 4 * 999).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(PartFile::Open(*path, "biases.f32", 4 * 999).status().code(), Code::kInvalidArgument);
}

TEST_F(CheckpointTest, NamesWhatTwoJobsDifferIn) {
  const JobIdentity job = StateAt(1).identity;
  EXPECT_EQ(Difference(job, job), "");
  JobIdentity other = job;
  other.settings["ranks"] = "4";
  EXPECT_EQ(Difference(job, other), "ranks is 2 there and 4 now");
  other.settings["clip"] = "1";
  EXPECT_EQ(Difference(job, other), "clip is unknown there and 1 now");
  other.data_sha256 = "00ff";
  EXPECT_NE(Difference(job, other).find("data"), std::string::npos);
  other.model_id = "another";
  EXPECT_NE(Difference(job, other).find("another"), std::string::npos);
}

}  // namespace
}  // namespace srlm::checkpoint
