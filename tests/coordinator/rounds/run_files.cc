#include "tests/coordinator/rounds/run_files.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "common/base/file.h"

namespace srlm::rounds {
namespace {

// Without keys, which rpc_test, services_test and e2e_keys test: they would take a quarter of the time.
constexpr char kConfig[] = R"(
name: test
model: {model}
run: {{iterations: 1}}
data: {{ift: ift.jsonl, prompts: prompts.jsonl, evaluation: ranked.jsonl}}
prompts: {{per_round: 5, new_per_round: 3, wave_size: 4, demonstrations_seed: 2, demonstrations_generated: 1, min_words: 2}}
generation: {{samples: 3, max_new_tokens: 12}}
judge: {{votes: 2, max_new_tokens: 12}}
evaluation: {{verdict: expected, sampled_votes: 1}}
pairs: {{min_pairs_per_round: 1}}
coordinator: {{relaunch_backoff_s: 0, max_item_tries: 2, commit_ms: 1}}
security: off
)";

}  // namespace

void RunFilesTest::SetUp() {
  folder_ = testing::TempDir() + "srlm_rounds_XXXXXX";
  ASSERT_NE(mkdtemp(folder_.data()), nullptr);
  const auto write = [&](const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomic(folder_ + "/" + name, text).ok());
  };
  std::string ift, prompts, ranked, validation;
  for (int i = 0; i < 4; ++i)
    ift += fmt::format(R"({{"prompt": "Seed {0}?", "completion": "Answer {0}."}})"
                       "\n",
                       i);
  for (int i = 0; i < 4; ++i)
    prompts += fmt::format(R"({{"prompt_id": "given-{0}", "prompt": "Given {0}?"}})"
                           "\n",
                           i);
  for (int i = 0; i < 4; ++i)
    ranked += fmt::format(R"({{"prompt_id": "r{0}", "prompt": "Rank {0}", "response": "R {1}", "score": {1}}})"
                          "\n",
                          i / 2, i % 2);
  for (int i = 0; i < 3; ++i)
    validation += fmt::format(R"({{"prompt_id": "v{0}", "prompt": "Validate {0}?"}})"
                              "\n",
                              i);
  write("ift.jsonl", ift);
  write("prompts.jsonl", prompts);
  write("ranked.jsonl", ranked);
  write("validation.jsonl", validation);
}

void RunFilesTest::TearDown() { std::filesystem::remove_all(folder_); }

config::RunConfig RunFilesTest::Config(const std::vector<std::string>& more) const {
  const std::string model = std::string(std::getenv("SRLM_SOURCE")) + "/tests/reference/models/smollm2";
  const auto config = config::Parse(fmt::format(kConfig, fmt::arg("model", model)), "test.yaml", folder_, more);
  EXPECT_TRUE(config.ok()) << config.status().message();
  return *config;
}

}  // namespace srlm::rounds
