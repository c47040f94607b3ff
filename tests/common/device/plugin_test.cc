#include "common/device/plugin.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/device/cores.h"

namespace srlm::device {
namespace {

class Plugin : public testing::Test {
 protected:
  void SetUp() override {
    setenv("SRLM_DEVICE_PLUGIN", HOST_DEVICE, 1);
    setenv("SRLM_HOST_DEVICE_NAME", ("plugin-" + std::to_string(getpid())).c_str(), 1);
  }
  void TearDown() override {
    for (const char* name :
         {"SRLM_DEVICE_PLUGIN", "SRLM_HOST_DEVICES", "SRLM_HOST_DEVICE_NAME", "SRLM_HOST_DEVICE_ERROR"})
      unsetenv(name);
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
  EXPECT_TRUE(std::string(device->description.address).ends_with(":3")) << device->description.address;
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

/// A rank of another process; it ends with the object.
class AnotherProcess {
 public:
  explicit AnotherProcess(int rank) {
    int ready[2];
    EXPECT_EQ(pipe(ready), 0);
    EXPECT_EQ(pipe(hold_), 0);
    child_ = fork();
    if (child_ == 0) {
      close(hold_[1]);
      const auto device = TakeDevice({.rank = rank, .ranks = 4});
      const int number = device.ok() ? device->number : -1;
      (void)!write(ready[1], &number, sizeof number);
      char end = 0;
      (void)!read(hold_[0], &end, 1);  // until the parent closes its end
      _exit(0);
    }
    close(hold_[0]);
    EXPECT_EQ(read(ready[0], &number_, sizeof number_), static_cast<ssize_t>(sizeof number_));
    close(ready[0]);
    close(ready[1]);
  }
  ~AnotherProcess() {
    close(hold_[1]);
    waitpid(child_, nullptr, 0);
  }
  int number() const { return number_; }

 private:
  pid_t child_ = 0;
  int hold_[2] = {};
  int number_ = -1;
};

TEST_F(Plugin, SeveralReplicasOfAHostTakeDevicesOfTheirOwn) {
  setenv("SRLM_HOST_DEVICES", "4", 1);
  setenv("SRLM_HOST_DEVICE_NAME", ("replicas-" + std::to_string(getpid())).c_str(), 1);
  {
    const AnotherProcess a0(0), a1(1), b0(0), b1(1);
    EXPECT_EQ(a0.number(), 0);
    EXPECT_EQ(a1.number(), 1);
    EXPECT_EQ(b0.number(), 2) << "the next one that nobody has";
    EXPECT_EQ(b1.number(), 3);
    const AnotherProcess more(2);
    EXPECT_EQ(more.number(), 2) << "shared: all are taken";
    const auto device = TakeDevice({.rank = 1, .ranks = 2});
    ASSERT_TRUE(device.ok());
    EXPECT_EQ(device->number, 1);
    EXPECT_NE(device->warning.find("all 4 devices that this rank sees are taken"), std::string::npos)
        << device->warning;
  }
  const AnotherProcess later(0);
  EXPECT_EQ(later.number(), 0) << "who has ended has left its device";
}

TEST_F(Plugin, ListsDevicesAndTakesNone) {
  setenv("SRLM_HOST_DEVICES", "3", 1);
  const auto devices = ListDevices();
  ASSERT_TRUE(devices.ok());
  ASSERT_EQ(devices->size(), 3u);
  EXPECT_EQ((*devices)[2].number, 2);
}

TEST(Cores, AreReadAsTheKernelWritesThem) {
  const auto cores = ParseCores("0-2,5,7-7\n");
  ASSERT_TRUE(cores);
  EXPECT_EQ(CPU_COUNT(&*cores), 5);
  EXPECT_TRUE(CPU_ISSET(5, &*cores) && CPU_ISSET(7, &*cores) && !CPU_ISSET(3, &*cores));
  for (const char* text : {"", "\n", "x", "3-1", "0-", "-1", "0,,1", "99999999"})
    EXPECT_FALSE(ParseCores(text)) << text;
}

TEST(Cores, AThreadIsBoundToThoseOfItsDevicesNode) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  int mine = 0;
  while (!CPU_ISSET(static_cast<size_t>(mine), &before)) ++mine;
  const std::string nodes = testing::TempDir() + "srlm_nodes_" + std::to_string(getpid());
  std::filesystem::create_directories(nodes + "/node1");
  std::ofstream(nodes + "/node1/cpulist") << mine << "\n";
  EXPECT_FALSE(BindToNode(-1, nodes));
  EXPECT_FALSE(BindToNode(0, nodes)) << "there is no such node";
  EXPECT_TRUE(BindToNode(1, nodes));
  cpu_set_t after;
  ASSERT_EQ(sched_getaffinity(0, sizeof after, &after), 0);
  EXPECT_TRUE(CPU_COUNT(&after) == 1 && CPU_ISSET(static_cast<size_t>(mine), &after));
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  std::filesystem::remove_all(nodes);
}

TEST_F(Plugin, RefusesMoreRanksThanDevices) {
  setenv("SRLM_HOST_DEVICES", "2", 1);
  ExpectSays(TakeDevice({.rank = 2, .ranks = 3}).status(), Code::kFailedPrecondition,
             {"2 devices", "3 ranks", "CUDA_VISIBLE_DEVICES"});
}

}  // namespace
}  // namespace srlm::device
