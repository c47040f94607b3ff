#include "coordinator/launcher/hosts.h"

#include <gtest/gtest.h>

namespace srlm::launcher {
namespace {

TEST(Hosts, ANameMayHaveSlots) {
  EXPECT_EQ(ParseHost("node7")->slots, 0);
  EXPECT_EQ(ParseHost("node7")->name, "node7");
  EXPECT_EQ(ParseHost("10.0.0.7:12")->name, "10.0.0.7");
  EXPECT_EQ(ParseHost("10.0.0.7:12")->slots, 12);
}

TEST(Hosts, WhatIsNoHostIsSaid) {
  for (const char* text : {"", ":2", "a:", "a:0", "a:-1", "a:2x", "a b", "--oversubscribe", "a slots=9", "a\nb"})
    EXPECT_EQ(ParseHost(text).status().code(), Code::kInvalidArgument) << text;
}

TEST(Hosts, TheFileHasALineAHost) { EXPECT_EQ(HostFile({{"a", 2}, {"b", 0}}), "a slots=2\nb\n"); }

}  // namespace
}  // namespace srlm::launcher
