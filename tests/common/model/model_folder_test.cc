// Reading and saving whole model folders.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "common/base/file.h"
#include "common/model/model_config.h"
#include "common/model/parameters.h"
#include "common/model/save.h"

namespace srlm::model {
namespace {

namespace fs = std::filesystem;

std::string Tiny(const std::string& name) {
  return std::string(std::getenv("SRLM_SOURCE")) + "/tests/reference/models/" + name;
}

class Folder : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "srlm_model_XXXXXX").string();
    root_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(root_); }
  /// A copy of a model with one text replaced in its config.json.
  std::string WithConfig(const std::string& from, const std::string& to, const std::string& model = "llama3") {
    const std::string folder = root_ + "/model";
    fs::remove_all(folder);
    fs::copy(Tiny(model), folder);
    std::string config = ReadFile(folder + "/config.json").value();
    const size_t at = config.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    EXPECT_TRUE(WriteFileAtomic(folder + "/config.json", config.replace(at, from.size(), to)).ok());
    return folder;
  }
  std::string root_;
};

std::vector<float> ReadAll(const std::string& folder, ParameterTable& table) {
  const auto config = ReadModelConfig(folder);
  EXPECT_TRUE(config.ok()) << config.status().message();
  table = MakeParameterTable(*config);
  const auto files = WeightFiles::Open(folder, table);
  EXPECT_TRUE(files.ok()) << files.status().message();
  std::vector<float> flat(static_cast<size_t>(table.total_elements));
  files->ReadRange(table, 0, flat);
  return flat;
}

TEST_F(Folder, SavedWeightsComeBackBitForBitFromOneFileAndFromShards) {
  ParameterTable table, again;
  for (const std::string name : {"llama3", "qwen2", "gemma3"}) {
    const auto flat = ReadAll(Tiny(name), table);
    for (const int64_t shard_bytes : {int64_t{1} << 30, int64_t{20000}}) {
      const std::string folder = root_ + "/saved-" + name + std::to_string(shard_bytes);
      const auto manifest = SaveModel(folder, Tiny(name), table, flat, {shard_bytes});
      ASSERT_TRUE(manifest.ok()) << manifest.status().message();
      EXPECT_EQ(ReadAll(folder, again), flat);
      EXPECT_TRUE(VerifyManifest(folder, *manifest).ok());
      EXPECT_EQ(ReadManifest(folder)->ModelId(), manifest->ModelId());
      EXPECT_TRUE(fs::exists(folder + "/tokenizer.json"));
    }
  }
}

TEST_F(Folder, AnExistingFolderIsNeverOverwrittenAndNothingIsLeftBeside) {
  ParameterTable table;
  const auto flat = ReadAll(Tiny("smollm2"), table);
  ASSERT_TRUE(SaveModel(root_ + "/saved", Tiny("smollm2"), table, flat).ok());
  EXPECT_EQ(SaveModel(root_ + "/saved", Tiny("smollm2"), table, flat).status().code(), Code::kAlreadyExists);
  EXPECT_FALSE(SaveModel(root_ + "/missing/saved", Tiny("smollm2"), table, flat).ok());
  int entries = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(root_)) ++entries;
  EXPECT_EQ(entries, 1);
}

TEST_F(Folder, AFlippedByteIsFoundAndNamed) {
  ParameterTable table;
  const auto flat = ReadAll(Tiny("smollm2"), table);
  const auto manifest = SaveModel(root_ + "/saved", Tiny("smollm2"), table, flat);
  ASSERT_TRUE(manifest.ok());
  std::string content = ReadFile(root_ + "/saved/model.safetensors").value();
  content.back() = static_cast<char>(content.back() ^ 1);
  ASSERT_TRUE(WriteFileAtomic(root_ + "/saved/model.safetensors", content).ok());
  EXPECT_NE(VerifyManifest(root_ + "/saved", *manifest).message().find("model.safetensors"), std::string::npos);
}

TEST_F(Folder, AConfigurationThatDoesNotFitTheWeightsIsRefusedByTensor) {
  const std::string folder = WithConfig("\"intermediate_size\": ", "\"intermediate_size\": 1");
  const auto config = ReadModelConfig(folder);
  ASSERT_TRUE(config.ok()) << config.status().message();
  const auto files = WeightFiles::Open(folder, MakeParameterTable(*config));
  EXPECT_NE(files.status().message().find("mlp"), std::string::npos) << files.status().message();
  EXPECT_NE(files.status().message().find("config.json asks for"), std::string::npos);
}

TEST_F(Folder, WhatIsNotSupportedIsRefusedByName) {
  for (const auto& [from, to, says] :
       {std::tuple{"\"llama\"", "\"gpt2\"", "gpt2"},
        std::tuple{"\"hidden_size\": ", "\"hidden_size\": -", "hidden_size"},
        std::tuple{"\"silu\"", "\"gelu\"", "gelu"}, std::tuple{"\"llama3\"", "\"yarn\"", "yarn"}}) {
    const auto config = ReadModelConfig(WithConfig(from, to));
    EXPECT_NE(config.status().message().find(says), std::string::npos) << config.status().message();
  }
  for (const auto& [from, to, says] :
       {std::tuple{"\"final_logit_softcapping\": null", "\"final_logit_softcapping\": 30.0", "final_logit_softcapping"},
        std::tuple{"\"sliding_attention\"\n ]", "\"chunked_attention\"\n ]", "chunked_attention"},
        std::tuple{"\"sliding_attention\"\n ]", "\"sliding_attention\", \"full_attention\"\n ]", "list of 2"},
        std::tuple{"\"gelu_pytorch_tanh\"", "\"gelu\"", "hidden_activation 'gelu'"},
        std::tuple{"\"gemma3_text\"", "\"gemma3\"", "gemma3_text"}}) {
    const auto config = ReadModelConfig(WithConfig(from, to, "gemma3_new"));
    EXPECT_NE(config.status().message().find(says), std::string::npos) << config.status().message();
  }
}

TEST_F(Folder, WhatAFamilyHasOfItsOwnIsRead) {
  const auto gemma = ReadModelConfig(Tiny("gemma3")), again = ReadModelConfig(Tiny("gemma3_new"));
  ASSERT_TRUE(gemma.ok() && again.ok());
  EXPECT_EQ(gemma->local_layers, (std::vector<char>{1, 1, 0}));  // sliding_window_pattern 3
  EXPECT_EQ(gemma->window_of(0), 6);
  EXPECT_EQ(gemma->window_of(2), 0);
  EXPECT_EQ(gemma->rope.factor, 8);
  EXPECT_EQ(gemma->local_rope.scaling, RopeScaling::kNone);
  EXPECT_EQ(gemma->local_rope.theta, 10000);
  EXPECT_EQ(again->local_layers, (std::vector<char>{0, 1}));  // layer_types
  EXPECT_EQ(again->rope.theta, 500000);
  EXPECT_EQ(again->local_rope.theta, 5000);
  EXPECT_TRUE(gemma->tied_embeddings);                         // by default
  EXPECT_EQ(ReadModelConfig(Tiny("qwen2"))->window_of(1), 0);  // written down and not used
  EXPECT_EQ(ReadModelConfig(Tiny("qwen2_window"))->local_layers, (std::vector<char>{0, 1, 1}));
}

TEST_F(Folder, AHostileDepthIsRefusedBeforeItIsPrinted) {
  const std::string deep = std::string(1000000, '[') + std::string(1000000, ']');
  const auto config = ReadModelConfig(WithConfig("\"hidden_size\": ", "\"hidden_size\": " + deep + ", \"x\": "));
  EXPECT_NE(config.status().message().find("nested more than"), std::string::npos) << config.status().message();
}

TEST_F(Folder, AMissingFolderOrWeightFileSaysWhatIsMissing) {
  EXPECT_NE(ReadModelConfig(root_ + "/none").status().message().find("config.json"), std::string::npos);
  const std::string folder = WithConfig("\"llama\"", "\"llama\"");
  fs::remove(folder + "/model.safetensors");
  const auto files = WeightFiles::Open(folder, MakeParameterTable(*ReadModelConfig(folder)));
  EXPECT_NE(files.status().message().find("model.safetensors"), std::string::npos);
}

}  // namespace
}  // namespace srlm::model
