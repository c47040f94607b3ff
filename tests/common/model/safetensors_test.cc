#include "common/model/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>

namespace srlm::model {
namespace {

/// A file's bytes: header length, header, `data` zero bytes.
std::string File(const std::string& header, size_t data) {
  const uint64_t length = header.size();
  std::string file(reinterpret_cast<const char*>(&length), sizeof length);
  return file + header + std::string(data, '\0');
}

Status Parse(const std::string& file) {
  return ParseSafetensorsHeader({reinterpret_cast<const std::byte*>(file.data()), file.size()}).status();
}

TEST(Safetensors, AWholeHeaderIsRead) {
  const std::string file = File(R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                                R"("b":{"dtype":"BF16","shape":[],"data_offsets":[24,26]},"__metadata__":{"x":"y"}})",
                                26);
  const auto tensors = ParseSafetensorsHeader({reinterpret_cast<const std::byte*>(file.data()), file.size()});
  ASSERT_TRUE(tensors.ok()) << tensors.status().message();
  EXPECT_EQ(tensors->size(), 2u);
  EXPECT_EQ(tensors->at("a").shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(tensors->at("b").elements(), 1);
}

struct Hostile {
  const char* name;
  std::string file;
  const char* says;
};

TEST(Safetensors, NoHostileHeaderIsBelieved) {
  const auto one = [](const std::string& entry, size_t data) { return File(R"({"a":)" + entry + "}", data); };
  std::string huge(8, '\xff');
  const std::vector<Hostile> cases = {
      {"empty", "", "shorter"},
      {"short", "abc", "shorter"},
      {"huge length", huge + "{}", "not believable"},
      {"length past the end", File("{}", 0).substr(0, 9), "truncated"},
      {"not JSON", File("{oops", 0), "JSON"},
      {"array", File("[1,2]", 0), "JSON"},
      {"deep", File(std::string(10000, '[') + std::string(10000, ']'), 0), "JSON"},
      {"no dtype", one(R"({"shape":[1],"data_offsets":[0,4]})", 4), "dtype"},
      {"unknown dtype", one(R"({"dtype":"Q9","shape":[1],"data_offsets":[0,4]})", 4), "Q9"},
      {"negative dimension", one(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})", 4), "dimension"},
      {"overflow", one(R"({"dtype":"F32","shape":[1099511627776,1099511627776],"data_offsets":[0,4]})", 4),
       "overflows"},
      {"past the end", one(R"({"dtype":"F32","shape":[100],"data_offsets":[0,400]})", 4), "truncated file"},
      {"backwards", one(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})", 4), "inside"},
      {"wrong size", one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})", 4), "its shape needs 8"},
      {"bytes of nobody", one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})", 8), "belong to no tensor"},
      {"gap", File(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8), "gap"},
      {"overlap",
       File(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
            R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
            4),
       "overlap"},
      {"named twice",
       File(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
            R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
            4),
       "twice"},
  };
  for (const Hostile& hostile : cases) {
    const Status status = Parse(hostile.file);
    EXPECT_FALSE(status.ok()) << hostile.name;
    EXPECT_NE(status.message().find(hostile.says), std::string::npos) << hostile.name << ": " << status.message();
    EXPECT_LT(status.message().size(), 300u) << hostile.name;
  }
}

TEST(Safetensors, EveryTruncationOfAFileIsRefused) {
  const std::string file = File(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
  for (size_t length = 0; length < file.size(); ++length) EXPECT_FALSE(Parse(file.substr(0, length)).ok()) << length;
}

}  // namespace
}  // namespace srlm::model
