// Jobs on tiny models, on ranks of any kind, and the log rows they leave.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "common/parallel/thread_communicator.h"
#include "trainer/job/job.h"

namespace srlm::trainer {

inline std::string Reference(const std::string& path) {
  return std::string(std::getenv("SRLM_SOURCE")) + "/tests/reference/" + path;
}

inline nlohmann::json ReadJson(const std::string& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

inline std::vector<nlohmann::json> ReadRows(const std::string& path) {
  std::ifstream file(path);
  std::vector<nlohmann::json> rows;
  for (std::string line; std::getline(file, line);) rows.push_back(nlohmann::json::parse(line));
  return rows;
}

/// Rows of the optimiser's steps.
inline std::vector<nlohmann::json> StepRows(const std::string& log) {
  std::vector<nlohmann::json> rows = ReadRows(log);
  std::erase_if(rows, [](const nlohmann::json& row) { return !row.contains("loss"); });
  return rows;
}

/// A job's folder, and its options with the settings that the stored reference values were made with.
class JobTest : public testing::Test {
 protected:
  JobTest() { std::filesystem::create_directories(folder_); }
  ~JobTest() override { std::filesystem::remove_all(folder_); }

  TrainerOptions OptionsOf(Method method) {
    const bool dpo = method == Method::kDpo;
    const auto reference = ReadJson(Reference(dpo ? "data/dpo_tiny.json" : "data/sft_tiny.json"));
    const auto& settings = reference["settings"];
    TrainerOptions options;
    options.method = method;
    options.model = Reference("models/" + reference["model"].get<std::string>());
    options.data = {Reference("data/" + reference["data"].get<std::string>())};
    options.learning_rate = options.final_learning_rate = settings["learning_rate"];
    options.schedule = Schedule::kConstant;
    options.global_batch = settings["global_batch"];
    options.max_steps = settings["steps"];
    options.adam_beta1 = settings["adam_beta1"];
    options.adam_beta2 = settings["adam_beta2"];
    options.weight_decay = settings["weight_decay"];
    options.max_grad_norm = settings["max_grad_norm"];
    options.shuffle = false;
    options.threads = 1;
    options.timeout_s = 60;
    NameOutputs(options, "job");
    return options;
  }

  void NameOutputs(TrainerOptions& options, const std::string& name) {
    options.out = folder_ + "/" + name;
    options.log = folder_ + "/" + name + ".jsonl";
  }

  /// Runs the job on ranks that are threads; rank 0's end.
  static JobEnd RunOnThreads(const TrainerOptions& options, int ranks, Reporter* reporter = nullptr,
                             const std::function<bool(int rank)>& noticed = nullptr) {
    auto communicators = parallel::MakeThreadCommunicators(ranks, {.timeout_s = 60});
    std::vector<JobEnd> ends(static_cast<size_t>(ranks));
    std::vector<std::thread> threads;
    for (int rank = 0; rank < ranks; ++rank) {
      threads.emplace_back([&, rank] {
        const auto i = static_cast<size_t>(rank);
        ends[i] = RunJob(options, *communicators[i], rank == 0 ? reporter : nullptr,
                         [&noticed, rank] { return noticed && noticed(rank); });
      });
    }
    for (std::thread& thread : threads) thread.join();
    return ends.front();
  }

  /// Rows of the steps of a job that ends well on ranks that are threads; nothing of it is left.
  static std::vector<nlohmann::json> Train(const TrainerOptions& options, int ranks = 1) {
    const JobEnd end = RunOnThreads(options, ranks);
    EXPECT_TRUE(end.status.ok()) << end.status.message();
    auto rows = StepRows(options.log);
    std::filesystem::remove_all(options.out);
    std::filesystem::remove(options.log);
    return rows;
  }

  std::string folder_ = testing::TempDir() + "srlm_job_" + std::to_string(getpid());
};

/// `ours` within `relative` of `theirs` in every number of every step, beside `absolute`.
inline void ExpectSameSteps(const std::vector<nlohmann::json>& ours, const std::vector<nlohmann::json>& theirs,
                            const std::vector<std::string>& keys, double absolute, double relative) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (size_t step = 0; step < ours.size(); ++step) {
    for (const std::string& key : keys) {
      const double expected = theirs[step][key];
      EXPECT_NEAR(ours[step][key].get<double>(), expected, absolute + relative * std::abs(expected))
          << key << " at step " << step;
    }
  }
}

/// The same job on other ranks or in other micro-batches: sums agree to 5e-5 relative. Rewards and margins are small
/// differences of large sums: float32 rounding shows in their sixth decimal.
inline void ExpectStepsOfOneJob(const std::vector<nlohmann::json>& ours, const std::vector<nlohmann::json>& theirs,
                                bool dpo) {
  ExpectSameSteps(ours, theirs, {"loss", "grad_norm"}, 0, 5e-5);
  if (!dpo) return;
  ExpectSameSteps(ours, theirs, {"logp_chosen", "logp_rejected"}, 0, 5e-5);
  ExpectSameSteps(ours, theirs, {"rewards_chosen", "rewards_rejected", "margin"}, 1e-5, 5e-5);
  ExpectSameSteps(ours, theirs, {"accuracy"}, 0, 0);
}

}  // namespace srlm::trainer
