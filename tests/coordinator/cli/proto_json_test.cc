#include "coordinator/cli/proto_json.h"

#include <gtest/gtest.h>

#include <cmath>

#include "srlm/v1/run.pb.h"

namespace srlm::cli {
namespace {

TEST(ToJson, KeepsNamesAndNumbers) {
  v1::RunStatus status;
  status.set_run_id("r");
  status.set_epoch(1ULL << 60);
  status.set_seconds(std::nan(""));
  status.add_last_errors("e");
  (*status.mutable_health())["score_1"] = 0.5;
  status.add_rounds()->set_loss(0.25);
  const auto json = ToJson(status);
  EXPECT_EQ(json["run_id"], "r");
  EXPECT_EQ(json["epoch"], 1ULL << 60);
  EXPECT_TRUE(json["progress"].is_null());
  EXPECT_EQ(json["last_errors"][0], "e");
  EXPECT_EQ(json["health"]["score_1"], 0.5);
  EXPECT_EQ(json["rounds"][0]["loss"], 0.25);
  EXPECT_TRUE(json["rounds"][0]["margin"].is_null());
  EXPECT_EQ(json["rounds"][0]["prompts"], 0);
  EXPECT_NE(json.dump().find("\"seconds\":null"), std::string::npos);
}

}  // namespace
}  // namespace srlm::cli
