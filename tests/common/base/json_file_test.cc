#include "common/base/json_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace srlm {
namespace {

class JsonFileTest : public testing::Test {
 protected:
  ~JsonFileTest() override { std::filesystem::remove(path_); }
  const std::string& Write(const std::string& content) const {
    std::ofstream(path_) << content;
    return path_;
  }
  std::string path_ = testing::TempDir() + "srlm_json_" + std::to_string(getpid());
};

TEST_F(JsonFileTest, ReadsAnObject) {
  const auto value = ReadJsonObject(Write(R"({"a": [1, {"b": null}]})"));
  ASSERT_TRUE(value.ok()) << value.status().message();
  EXPECT_EQ((*value)["a"][0], 1);
  const auto ordered = ParseOrderedJsonObject(R"({"z": 1, "a": 2})", "text");
  ASSERT_TRUE(ordered.ok());
  EXPECT_EQ(ordered->dump(), R"({"z":1,"a":2})");
}

TEST_F(JsonFileTest, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(ReadJsonObject(path_).status().code(), Code::kNotFound);
  for (const char* content : {"", "[1]", "{\"a\": }", "{", "nonsense"}) {
    const Status status = ReadJsonObject(Write(content)).status();
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << content;
    EXPECT_NE(status.message().find(path_), std::string::npos) << status.message();
  }
  EXPECT_EQ(ReadSmallFile(Write("12345"), 4).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(ReadJsonObject(testing::TempDir()).status().code(), Code::kInvalidArgument);
}

TEST_F(JsonFileTest, RefusesNestingThatWouldEatTheStack) {
  const size_t levels = 1 << 20;
  for (const std::string& inner : {std::string(levels, '[') + std::string(levels, ']'), std::string(levels, '[')}) {
    const Status status = ReadJsonObject(Write(R"({"vocab_size": )" + inner + "}")).status();
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    EXPECT_LT(status.message().size(), 400u) << status.message();
  }
  std::string objects;
  for (size_t i = 0; i < levels; ++i) objects += R"({"a":)";
  EXPECT_EQ(ReadJsonObject(Write(objects + "1" + std::string(levels, '}'))).status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace srlm
