// The program itself: what it answers to wrong usage and bad input, and how its pieces come together.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::string Env(const char* name) { return std::getenv(name); }

struct Ended {
  int exit_code = -1;  // 128 + the signal when one ended it
  std::string output;  // both streams
  std::string said;    // lines of srlm-trainer itself, without log lines
};

Ended RunShell(const std::string& line) {
  const std::string command = line + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  Ended ended;
  char buffer[4096];
  for (size_t count; (count = fread(buffer, 1, sizeof buffer, pipe)) > 0;) ended.output.append(buffer, count);
  const int status = pclose(pipe);
  ended.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  for (size_t at = 0; (at = ended.output.find("srlm-trainer: ", at)) != std::string::npos;) {
    const size_t end = ended.output.find('\n', at);
    ended.said += ended.output.substr(at, end - at) + "\n";
    at = end;
  }
  return ended;
}

Ended RunTrainer(const std::string& arguments) { return RunShell(Env("SRLM_BIN") + "/srlm-trainer " + arguments); }

class CommandLineTest : public testing::Test {
 protected:
  CommandLineTest() {
    fs::create_directories(folder_);
    Write("sft.jsonl", R"({"prompt": "What is the sum?", "completion": "The sum is 42."})"
                       "\n"
                       R"({"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]})"
                       "\n");
    Write("dpo.jsonl", R"({"prompt": "Why?", "chosen": "It falls because the earth pulls.", "rejected": "So."})"
                       "\n");
  }
  ~CommandLineTest() override { fs::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& content) {
    std::ofstream(folder_ + "/" + name) << content;
    return folder_ + "/" + name;
  }
  static std::string Read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string File(const std::string& name) const { return folder_ + "/" + name; }
  /// A good call of the method; what is appended changes it.
  std::string Good(const std::string& method) const {
    return method + " --model " + model_ + " --data " + File(method + ".jsonl") + " --out " + File("out") +
           " --threads 1";
  }

  std::string folder_ = testing::TempDir() + "srlm_trainer_cli_" + std::to_string(getpid());
  std::string model_ = Env("SRLM_SOURCE") + "/tests/reference/models/smollm2";
};

TEST_F(CommandLineTest, TrainsAModelThatTrainsAgain) {
  const Ended first = RunTrainer(Good("sft") + " --log " + File("log.jsonl"));
  ASSERT_EQ(first.exit_code, 0) << first.output;
  const Ended second = RunTrainer("dpo --model " + File("out") + " --data " + File("dpo.jsonl") + " --out " +
                                  File("out2") + " --threads 1 --epochs 2");
  EXPECT_EQ(second.exit_code, 0) << second.output;
  EXPECT_TRUE(fs::exists(File("out2/model.safetensors")));
  EXPECT_TRUE(fs::exists(File("log.jsonl")));
}

TEST_F(CommandLineTest, NoEpochsSaveTheModelAsItIs) {
  ASSERT_EQ(RunTrainer(Good("sft")).exit_code, 0);  // tensors in the order that we write
  for (const std::string method : {"sft", "dpo"}) {
    const Ended ended = RunTrainer(method + " --model " + File("out") + " --data " + File(method + ".jsonl") +
                                   " --out " + File("same_" + method) + " --threads 1 --epochs 0");
    ASSERT_EQ(ended.exit_code, 0) << ended.output;
    EXPECT_EQ(Read(File("same_" + method + "/model.safetensors")), Read(File("out/model.safetensors")));
  }
}

TEST_F(CommandLineTest, TakesSeveralDataFilesAndRowsThatTeachJudging) {
  Write("eft.jsonl", R"({"prompt": "Why?", "response": "So.", "justification": "Too short.", "score": 1})"
                     "\n");
  const Ended ended =
      RunTrainer(Good("sft") + " --data " + File("eft.jsonl") + " --print-logprobs " + File("logp.jsonl"));
  ASSERT_EQ(ended.exit_code, 0) << ended.output;
  std::ifstream file(File("logp.jsonl"));
  int rows = 0;
  for (std::string line; std::getline(file, line);) ++rows;
  EXPECT_EQ(rows, 3);
}

TEST_F(CommandLineTest, AFolderMayBeNamedWithASlash) {
  ASSERT_EQ(RunTrainer("sft --model " + model_ + "/ --data " + File("sft.jsonl") + " --out " + File("slash") +
                       "/ --threads 1 --checkpoint-steps 1 --checkpoint-folder " + File("kept") + "//")
                .exit_code,
            0);
  EXPECT_TRUE(fs::exists(File("slash/model.safetensors")));
  EXPECT_TRUE(fs::exists(File("kept/step-00000001/checkpoint.json")));
}

TEST_F(CommandLineTest, SavesTheModelOnTheWayInPlaceOfOut) {
  const Ended ended = RunTrainer(Good("sft") + " --max-steps 3 --save-steps 2");
  ASSERT_EQ(ended.exit_code, 0) << ended.output;
  for (const char* name : {"out.step-2", "out.step-3"}) EXPECT_TRUE(fs::exists(File(name) + "/srlm_job.json")) << name;
  EXPECT_FALSE(fs::exists(File("out")));
  EXPECT_EQ(RunTrainer("sft --model " + model_ + " --data " + File("sft.jsonl") + " --print-logprobs " +
                       File("logp.jsonl") + " --save-steps 2")
                .exit_code,
            2);  // of no model
}

TEST_F(CommandLineTest, AnOutputNeverReplacesAnInputOrAnotherOutput) {
  const std::string data = File("sft.jsonl"), before = Read(data);
  fs::create_symlink(data, File("link"));
  for (const std::string& flags : {"--log " + data, "--print-logprobs " + data, "--log " + File("link"),
                                   "--log " + File("out"), "--log " + File("./out"), "--checkpoint-folder " + data,
                                   "--log " + File("x") + " --print-logprobs " + File("x")}) {
    const Ended ended = RunTrainer(Good("sft") + " " + flags);
    EXPECT_EQ(ended.exit_code, 1) << flags << "\n" << ended.output;
    EXPECT_FALSE(fs::exists(File("out"))) << flags;
    EXPECT_EQ(Read(data), before) << flags;
  }
  Write("log.jsonl", "{\"step\": 0, \"loss\": 9}\n");
  const std::string only_values = "sft --model " + model_ + " --data " + data + " --threads 1 --print-logprobs " +
                                  File("values") + " --log " + File("log.jsonl");
  EXPECT_EQ(RunTrainer(only_values).exit_code, 0);
  EXPECT_NE(Read(File("log.jsonl")), "");  // nothing was trained: no row of it is void
  EXPECT_EQ(RunTrainer(Good("sft") + " --log /dev/null").exit_code, 0);
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(CommandLineTest, ALowLearningRateLowersTheDefaultOfItsEnd) {
  const Ended ended = RunTrainer(Good("sft") + " --learning-rate 1e-6 --epochs 2 --log " + File("log.jsonl"));
  EXPECT_EQ(ended.exit_code, 0) << ended.output;
  EXPECT_NE(Read(File("log.jsonl")).find("\"learning_rate\":1e-06"), std::string::npos);
}

TEST_F(CommandLineTest, RanksThatReadDifferentDataSayWho) {
  Write("data-0.jsonl", R"({"prompt": "a", "completion": "b"})"
                        "\n");
  Write("data-1.jsonl", R"({"prompt": "a", "completion": "c"})"
                        "\n");
  const Ended ended = RunShell(Env("SRLM_SOURCE") + "/tests/mpirun.sh 2 sh -c '" + Env("SRLM_BIN") +
                               "/srlm-trainer sft --threads 1 --model " + model_ + " --out " + File("out") +
                               " --data " + File("data-") + "$OMPI_COMM_WORLD_RANK.jsonl'");
  EXPECT_EQ(ended.exit_code, 1) << ended.output;
  EXPECT_NE(ended.said.find("rank 1: the data files differ from those that rank 0 reads"), std::string::npos)
      << ended.output;
  EXPECT_NE(ended.said.find("data check: rank 1 failed"), std::string::npos) << ended.output;
}

TEST_F(CommandLineTest, HelpAndVersionAreNoFailures) {
  EXPECT_EQ(RunTrainer("--help").exit_code, 0);
  EXPECT_EQ(RunTrainer("--version").exit_code, 0);
  EXPECT_NE(RunTrainer("dpo --help").output.find("--micro-batch-tokens"), std::string::npos);
}

TEST_F(CommandLineTest, WrongUsageEndsWithTwoAndSaysWhat) {
  struct Case {
    std::string arguments;
    std::string said;
  };
  const std::vector<Case> cases = {
      {"", "sft or dpo"},
      {"ppo", "ppo"},
      {Good("sft") + " --no-such-flag 3", "--no-such-flag"},
      {Good("sft") + " --beta 0.1", "--beta"},
      {"sft --model x --out y", "--data is required"},
      {"sft --model x --data y", "--out is required"},
      {Good("dpo") + " --beta 0", "--beta"},
      {Good("dpo") + " --loss hinge", "--loss"},
      {Good("dpo") + " --label-smoothing 0.6", "--label-smoothing"},
      {Good("dpo") + " --nll-weight -1", "--nll-weight"},
      {Good("dpo") + " --sft-data " + File("sft.jsonl"), "--sft-share"},
      {Good("sft") + " --sft-share 1", "--sft-share"},
      {Good("dpo") + " --global-batch 0", "--global-batch"},
      {Good("dpo") + " --global-batch many", "--global-batch"},
      {Good("dpo") + " --adam-beta2 1", "--adam-beta2"},
      {Good("dpo") + " --epochs -1", "--epochs"},
      {Good("dpo") + " --schedule linear", "--schedule"},
      {Good("dpo") + " --shuffle maybe", "--shuffle"},
      {Good("dpo") + " --learning-rate -1", "--learning-rate"},
      {Good("dpo") + " --learning-rate nan", "--learning-rate"},
      {Good("dpo") + " --seed -1", "--seed"},
      {Good("dpo") + " --learning-rate 1e-7 --final-learning-rate 1e-6", "--final-learning-rate"},
      {Good("dpo") + " --threads 0", "--threads"},
      {Good("dpo") + " --special-tokens-in-text drop", "--special-tokens-in-text"},
      {Good("dpo") + " --run somewhere", "--job-id"},
  };
  for (const Case& wrong : cases) {
    const Ended ended = RunTrainer(wrong.arguments);
    EXPECT_EQ(ended.exit_code, 2) << wrong.arguments << "\n" << ended.output;
    EXPECT_NE(ended.said.find(wrong.said), std::string::npos) << wrong.arguments << "\n" << ended.output;
    EXPECT_LE(std::count(ended.output.begin(), ended.output.end(), '\n'), 3) << ended.output;
    EXPECT_FALSE(fs::exists(File("out")));
  }
}

TEST_F(CommandLineTest, BadInputEndsWithOneAndSaysWhere) {
  Write("empty.jsonl", "");
  Write("torn.jsonl", "{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"c\"}\n{\"prompt\": \"a\", \n");
  Write("without_chosen.jsonl", "{\"prompt\": \"a\", \"rejected\": \"c\"}\n");
  Write("bad_ids.jsonl",
        "{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"c\"}\n\n"
        R"({"prompt": "a", "chosen": "b", "rejected": "c", "prompt_token_ids": [1],)"
        R"( "chosen_token_ids": [9999], "rejected_token_ids": [4]})"
        "\n");
  Write("long.jsonl", "{\"prompt\": \"" + std::string(9000, 'x') + "\", \"chosen\": \"b\", \"rejected\": \"c\"}\n");
  fs::copy(model_, File("torn_model"));
  fs::resize_file(File("torn_model/model.safetensors"), 1000);
  fs::copy(model_, File("no_tokenizer"));
  fs::remove(File("no_tokenizer/tokenizer.json"));
  fs::create_directories(File("taken"));
  for (const std::string key : {"vocab_size", "rope_scaling"}) {
    fs::copy(model_, File("deep_" + key));
    Write("deep_" + key + "/config.json",
          "{\"" + key + "\": " + std::string(1 << 20, '[') + std::string(1 << 20, ']') + "}");
  }
  fs::copy(Env("SRLM_SOURCE") + "/tests/reference/models/sharded", File("deep_index"));
  Write("deep_index/model.safetensors.index.json", "{\"weight_map\": " + std::string(1 << 20, '['));
  const auto call = [&](const std::string& model, const std::string& data, const std::string& out) {
    return "dpo --threads 1 --model " + model + " --data " + data + " --out " + out;
  };
  const std::string good = File("dpo.jsonl"), out = File("out");
  struct Case {
    std::string arguments;
    std::string said;
  };
  const std::vector<Case> cases = {
      {call(File("absent"), good, out), "absent"},
      {call(File("torn_model"), good, out), "model.safetensors"},
      {call(File("no_tokenizer"), good, out), "tokenizer.json"},
      {call(File("deep_vocab_size"), good, out), "deep_vocab_size/config.json"},
      {call(File("deep_rope_scaling"), good, out), "deep_rope_scaling/config.json"},
      {call(File("deep_index"), good, out), "model.safetensors.index.json"},
      {call(model_, good, out) + " --checkpoint-folder " + File("no/parent"), "no/parent"},
      {call(model_, good, out) + " --checkpoint-folder " + File("empty.jsonl"), "empty.jsonl"},
      {call(model_, File("absent.jsonl"), out), "absent.jsonl"},
      {call(model_, File("empty.jsonl"), out), "empty.jsonl"},
      {call(model_, File("torn.jsonl"), out), "torn.jsonl:2"},
      {call(model_, File("without_chosen.jsonl"), out), "without_chosen.jsonl:1"},
      {call(model_, File("bad_ids.jsonl"), out), "bad_ids.jsonl:3: the response has token id 9999"},
      {call(model_, File("long.jsonl"), out), "no row is left"},
      {call(model_, good, out) + " --sft-share 1 --sft-data " + File("absent.jsonl"), "absent.jsonl"},
      {call(model_, good, out) + " --sft-share 1 --sft-data " + good, "dpo.jsonl:1"},
      {call(model_, good, File("taken")), "taken"},
      {call(model_, good, File("no/such/folder")), "parent folder"},
      {call(model_, good, out) + " --log " + File("no/log.jsonl"), "no/log.jsonl"},
      {call(model_, good, out) + " --chat-template " + File("absent.jinja"), "absent.jinja"},
      {call(model_, good, out) + " --run " + File("absent_run") + " --job-id j", "absent_run"},
  };
  for (const Case& bad : cases) {
    const Ended ended = RunTrainer(bad.arguments);
    EXPECT_EQ(ended.exit_code, 1) << bad.arguments << "\n" << ended.output;
    EXPECT_NE(ended.said.find(bad.said), std::string::npos) << bad.arguments << "\n" << ended.output;
    EXPECT_FALSE(fs::exists(out));
  }
}

}  // namespace
