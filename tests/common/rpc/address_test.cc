#include "common/rpc/address.h"

#include <gtest/gtest.h>

namespace srlm::rpc {
namespace {

TEST(Address, ReadsHostAndPort) {
  const auto address = ParseAddress("127.0.0.1:7000");
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address->host, "127.0.0.1");
  EXPECT_EQ(address->port, 7000);
  EXPECT_EQ(address->Text(), "127.0.0.1:7000");
}

TEST(Address, ReadsAnIpv6HostInBrackets) {
  const auto address = ParseAddress("[::1]:0");
  ASSERT_TRUE(address.ok());
  EXPECT_TRUE(address->IsLoopback());
  EXPECT_EQ(address->Text(), "[::1]:0");
}

TEST(Address, SaysWhatIsWrong) {
  for (const char* text : {"", "127.0.0.1", ":7000", "host:", "host:12x", "host:70000", "host:-1"}) {
    const auto address = ParseAddress(text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_EQ(address.status().code(), Code::kInvalidArgument);
    EXPECT_NE(address.status().message().find("host:port"), std::string::npos) << address.status().message();
  }
}

}  // namespace
}  // namespace srlm::rpc
