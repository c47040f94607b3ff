#include "common/base/log.h"

#include <gtest/gtest.h>

namespace srlm {
namespace {

TEST(LogField, PlainValuesStandAsTheyAre) {
  EXPECT_EQ(LogField("run", "demo-1").text, "run=demo-1");
  EXPECT_EQ(LogField("step", 7).text, "step=7");
  EXPECT_EQ(LogField("loss", 0.25).text, "loss=0.25");
  EXPECT_EQ(LogField("ok", true).text, "ok=true");
}

TEST(LogField, OneEventStaysOneLineWhateverATextHolds) {
  EXPECT_EQ(LogField("message", "two words").text, R"(message="two words")");
  EXPECT_EQ(LogField("message", "").text, R"(message="")");
  EXPECT_EQ(LogField("message", "a=\"b\"").text, R"(message="a=\"b\"")");
  EXPECT_EQ(LogField("message", "one\ntwo").text, R"(message="one\ntwo")");
  EXPECT_EQ(LogField("message", "back\\slash").text, R"(message="back\\slash")");
  for (const char* text : {"one\rtwo", "one\x1b[2Ktwo", "one\ttwo", "\x7f"}) {
    for (const unsigned char c : LogField("message", text).text) EXPECT_TRUE(c >= 0x20 && c != 0x7f) << text;
  }
}

}  // namespace
}  // namespace srlm
