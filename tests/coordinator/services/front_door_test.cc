#include "coordinator/services/front_door.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace srlm::services {
namespace {

TEST(AdvertisedAddress, IsWhereItListensUnlessThatIsEverywhere) {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  EXPECT_EQ(*AdvertisedAddress("10.0.0.1:7000", ""), "10.0.0.1:7000");
  EXPECT_EQ(*AdvertisedAddress("0.0.0.0:7000", ""), std::string(host) + ":7000");
  EXPECT_EQ(*AdvertisedAddress("[::]:7000", ""), std::string(host) + ":7000");
}

TEST(AdvertisedAddress, IsWhatTheConfigurationSays) {
  EXPECT_EQ(*AdvertisedAddress("0.0.0.0:7000", "login1"), "login1:7000");
  EXPECT_EQ(*AdvertisedAddress("0.0.0.0:7000", "login1.site:443"), "login1.site:443");
  EXPECT_EQ(*AdvertisedAddress("0.0.0.0:7000", "fe80::1"), "[fe80::1]:7000");
  EXPECT_EQ(*AdvertisedAddress("0.0.0.0:7000", "[fe80::1]:443"), "[fe80::1]:443");
}

}  // namespace
}  // namespace srlm::services
