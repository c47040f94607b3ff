#include "common/base/manifest.h"

#include <nlohmann/json.hpp>

#include "common/base/file.h"
#include "tests/common/base/temporary_folder.h"

namespace srlm {
namespace {

using Json = nlohmann::ordered_json;

class ManifestTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    ASSERT_TRUE(WriteFileAtomic(Path("config.json"), "{}").ok());
    ASSERT_TRUE(WriteFileAtomic(Path("model.safetensors"), "weights").ok());
    ASSERT_TRUE(WriteFileAtomic(Path("notes.txt"), "not the model's").ok());
    manifest_ = *HashModelFolder(folder_);
    ASSERT_TRUE(WriteManifest(folder_, manifest_).ok());
    stored_ = Json::parse(*ReadFile(Path(kManifestFile)));
  }
  Status Read(const Json& json) {
    EXPECT_TRUE(WriteFileAtomic(Path(kManifestFile), json.dump()).ok());
    return ReadManifest(folder_).status();
  }
  Manifest manifest_;
  Json stored_;
};

TEST_F(ManifestTest, IsReadBackWithTheSameId) {
  const auto read = ReadManifest(folder_);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read->ModelId(), manifest_.ModelId());
  EXPECT_EQ(read->files.size(), 2u);
  EXPECT_TRUE(VerifyManifest(folder_, *read).ok());
}

TEST_F(ManifestTest, OneByteMoreOrOtherIsFound) {
  ASSERT_TRUE(WriteFileAtomic(Path("model.safetensors"), "weighty").ok());
  const Status same_size = VerifyManifest(folder_, *ReadManifest(folder_));
  EXPECT_EQ(same_size.code(), Code::kDataLoss);
  EXPECT_NE(same_size.message().find("model.safetensors"), std::string::npos);
  ASSERT_TRUE(WriteFileAtomic(Path("model.safetensors"), "weights.").ok());
  EXPECT_EQ(ReadManifest(folder_).status().code(), Code::kDataLoss);
}

TEST_F(ManifestTest, AHostileOneIsRefusedWithItsPath) {
  std::vector<Json> hostile = {Json::array(), Json::object(), {{"files", 3}}, {{"files", Json::array()}}};
  const auto with = [&](auto change) {
    Json json = stored_;
    change(json);
    hostile.push_back(json);
  };
  with([](Json& json) { json["files"] = Json::array(); });
  with([](Json& json) { json["files"][0] = 7; });
  with([](Json& json) { json["files"][0]["name"] = 7; });
  with([](Json& json) { json["files"][0]["name"] = "../config.json"; });
  with([](Json& json) { json["files"][0]["name"] = "/etc/passwd"; });
  with([](Json& json) { json["files"][0]["name"] = "notes.txt"; });
  with([](Json& json) { json["files"][0]["bytes"] = "2"; });
  with([](Json& json) { json["files"][0]["bytes"] = -1; });
  with([](Json& json) { json["files"][0]["bytes"] = 1e30; });
  with([](Json& json) { json["files"][0]["sha256"] = nullptr; });
  with([](Json& json) { json["files"][0]["sha256"] = "abc"; });
  with([](Json& json) { json["files"].push_back(json["files"][0]); });
  with([](Json& json) { json["files"].erase(1); });
  with([](Json& json) { json["model_id"] = "0123456789abcdef"; });
  with([](Json& json) { json["model_id"] = 5; });
  with([](Json& json) { json.erase("model_id"); });
  for (const Json& json : hostile) {
    const Status status = Read(json);
    EXPECT_EQ(status.code(), Code::kDataLoss) << json;
    EXPECT_NE(status.message().find(folder_), std::string::npos) << status.message();
  }
  ASSERT_TRUE(WriteFileAtomic(Path(kManifestFile), "{\"files\": [").ok());
  EXPECT_EQ(ReadManifest(folder_).status().code(), Code::kDataLoss);
}

}  // namespace
}  // namespace srlm
