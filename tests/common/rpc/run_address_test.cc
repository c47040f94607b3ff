#include "common/rpc/run_address.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "common/base/file.h"

namespace srlm::rpc {
namespace {

class RunAddressTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "run_address_XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    run_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(run_); }
  std::string run_;
};

TEST_F(RunAddressTest, IsReadBackAsItWasWritten) {
  ASSERT_TRUE(WriteRunAddress(run_, {"run-1", "127.0.0.1:7000", 3, "here", 42}).ok());
  const auto address = ReadRunAddress(run_);
  ASSERT_TRUE(address.ok()) << address.status().message();
  EXPECT_EQ(address->run_id, "run-1");
  EXPECT_EQ(address->address, "127.0.0.1:7000");
  EXPECT_EQ(address->epoch, 3u);
  EXPECT_EQ(address->pid, 42);
}

TEST_F(RunAddressTest, MissingFolderAndMissingCoordinatorAreToldApart) {
  EXPECT_NE(ReadRunAddress(run_ + "/none").status().message().find("no such run folder"), std::string::npos);
  const Status status = ReadRunAddress(run_).status();
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_NE(status.message().find("srlm run"), std::string::npos);
}

TEST_F(RunAddressTest, OnlyItsOwnCoordinatorTakesItAway) {
  ASSERT_TRUE(WriteRunAddress(run_, {"run-1", "127.0.0.1:7000", 3, "here", 42}).ok());
  RemoveRunAddress(run_, 2);
  EXPECT_TRUE(ReadRunAddress(run_).ok());
  RemoveRunAddress(run_, 3);
  EXPECT_FALSE(ReadRunAddress(run_).ok());
}

TEST_F(RunAddressTest, TornFileIsDataLoss) {
  for (const char* text : {"", "{", "[]", "{\"run_id\": 1}"}) {
    ASSERT_TRUE(WriteFileAtomic(run_ + "/coordinator.json", text).ok());
    EXPECT_EQ(ReadRunAddress(run_).status().code(), Code::kDataLoss) << text;
  }
}

}  // namespace
}  // namespace srlm::rpc
