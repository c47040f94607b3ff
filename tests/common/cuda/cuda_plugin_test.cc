// The CUDA plug-in loads everywhere, and says what it finds: with a GPU its device, without one why there is none.
#include <gtest/gtest.h>

#include <cstdlib>

#include "common/device/plugin.h"

namespace srlm::device {
namespace {

TEST(CudaPlugin, LoadsAndIsOfThisBuild) {
  const auto entry = LoadPlugin(CUDA_PLUGIN);
  ASSERT_TRUE(entry.ok()) << entry.status().message();
  const std::string libraries = (*entry)->libraries;
  EXPECT_TRUE(libraries.starts_with("CUDA 13") && libraries.find(", NCCL 2.") != std::string::npos) << libraries;
  EXPECT_STREQ((*entry)->aten_device, "cuda");
  // Every entry is filled.
  const auto* const words = reinterpret_cast<void* const*>(*entry);
  for (size_t i = 0; i < sizeof(EntryPoints) / sizeof(void*); ++i) EXPECT_NE(words[i], nullptr) << "entry " << i;
}

TEST(CudaPlugin, TakesADeviceOrSaysWhyThereIsNone) {
  setenv("SRLM_DEVICE_PLUGIN", CUDA_PLUGIN, 1);
  const auto device = TakeDevice({});
  if (device.ok()) {
    EXPECT_GE(device->description.capability, 80);
    EXPECT_GT(device->description.memory_bytes, 0);
    return;
  }
  EXPECT_EQ(device.status().code(), Code::kFailedPrecondition);
  EXPECT_NE(device.status().message().find("finds no device on this machine: "), std::string::npos)
      << device.status().message();
}

}  // namespace
}  // namespace srlm::device
