#include "common/device/plugin.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace srlm::device {
namespace {

class Plugin : public testing::Test {
 protected:
  void SetUp() override { setenv("SRLM_DEVICE_PLUGIN", HOST_DEVICE, 1); }
  void TearDown() override {
    for (const char* name : {"SRLM_DEVICE_PLUGIN", "SRLM_HOST_DEVICES", "SRLM_HOST_DEVICE_ERROR"}) unsetenv(name);
  }
};

void ExpectSays(const Status& status, Code code, std::initializer_list<const char*> parts) {
  EXPECT_EQ(status.code(), code);
  for (const char* part : parts) EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
}

TEST_F(Plugin, LiesBesideTheProgramUnlessItIsNamed) {
  EXPECT_EQ(PluginPath(), HOST_DEVICE);
  unsetenv("SRLM_DEVICE_PLUGIN");
  EXPECT_TRUE(PluginPath().ends_with("/libsrlm_cuda.so")) << PluginPath();
}

TEST_F(Plugin, ThatIsNotThereIsCalledThat) {
  ExpectSays(LoadPlugin("/none/libsrlm_cuda.so").status(), Code::kNotFound,
             {"device: cuda", "/none/libsrlm_cuda.so", "make cuda", "device: cpu"});
}

TEST_F(Plugin, ThatIsNoLibraryOrNotOursIsRefused) {
  ExpectSays(LoadPlugin("/proc/self/exe").status(), Code::kFailedPrecondition, {"make cuda"});
  ExpectSays(LoadPlugin(NO_PLUGIN).status(), Code::kFailedPrecondition, {"is no plug-in of srlm"});
}

TEST_F(Plugin, OfAnotherBuildIsRefusedBeforeItIsCalled) {
  ExpectSays(LoadPlugin(OTHER_BUILD).status(), Code::kFailedPrecondition,
             {"srlm 0.0.9, device interface 000000000000", kIdentity, "make build cuda"});
  setenv("SRLM_DEVICE_PLUGIN", OTHER_BUILD, 1);
  ExpectSays(TakeDevice({}).status(), Code::kFailedPrecondition, {"another build"});
}

TEST_F(Plugin, SaysWhyThereIsNoDevice) {
  setenv("SRLM_HOST_DEVICE_ERROR", "35", 1);
  ExpectSays(TakeDevice({}).status(), Code::kFailedPrecondition,
             {"device: cuda", "no device on this machine", "the driver is insufficient", "device: cpu"});
  unsetenv("SRLM_HOST_DEVICE_ERROR");
  setenv("SRLM_HOST_DEVICES", "0", 1);
  ExpectSays(TakeDevice({}).status(), Code::kFailedPrecondition, {"none is visible", "CUDA_VISIBLE_DEVICES"});
}

TEST_F(Plugin, GivesALocalRankItsDevice) {
  const auto device = TakeDevice({.rank = 3, .ranks = 8});
  ASSERT_TRUE(device.ok()) << device.status().message();
  EXPECT_EQ(device->number, 3);
  EXPECT_STREQ(device->description.address, "host:3");
  EXPECT_EQ(device->AtenName(), "cpu");
  EXPECT_EQ(device->warning, "");
}

TEST_F(Plugin, TakesTheOneDeviceThatItSeesAndWarns) {
  setenv("SRLM_HOST_DEVICES", "1", 1);
  const auto alone = TakeDevice({.rank = 0, .ranks = 1}), third = TakeDevice({.rank = 3, .ranks = 4});
  ASSERT_TRUE(alone.ok() && third.ok());
  EXPECT_EQ(third->number, 0);
  EXPECT_EQ(alone->warning, "");
  EXPECT_NE(third->warning.find("one device, with 4 ranks"), std::string::npos) << third->warning;
}

TEST_F(Plugin, RefusesMoreRanksThanDevices) {
  setenv("SRLM_HOST_DEVICES", "2", 1);
  ExpectSays(TakeDevice({.rank = 2, .ranks = 3}).status(), Code::kFailedPrecondition,
             {"2 devices", "3 ranks", "CUDA_VISIBLE_DEVICES"});
}

}  // namespace
}  // namespace srlm::device
