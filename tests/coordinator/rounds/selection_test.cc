// The choice of a round's model among those that its job saved: which one it is, what is left of the others, and that
// nothing that happens on the way changes it.
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "common/base/manifest.h"
#include "coordinator/rounds/coordinator.h"
#include "tests/coordinator/rounds/fake_run.h"

namespace srlm::rounds {
namespace {

namespace fs = std::filesystem;

constexpr int kPrompts = 3;

class SelectionTest : public FakeRunTest {
 protected:
  SelectionTest() {
    groups_.steps = 4;
    groups_.quality = [this](const std::string& model) { return qualities_.at(model); };
  }

  config::RunConfig Selecting(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"dpo.selection_steps=1", "data.validation_prompts=validation.jsonl"};
    all.insert(all.end(), more.begin(), more.end());
    return Config(all);
  }
  static int64_t SelectedStep(const std::string& run_dir) {
    const auto job = Take(Open(run_dir)->Job("dpo-1"));
    EXPECT_TRUE(job.has_value());
    EXPECT_EQ(job->state, "done");
    return job->selected_step;
  }
  static std::string Answers(const std::string& run_dir) { return Table(run_dir, "evaluation_answers"); }
  static std::set<std::string> ModelFolders(const std::string& run_dir) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(run_dir + "/models"))
      names.insert(entry.path().filename().string());
    return names;
  }

  std::map<std::string, int> qualities_ = {{"M2.step-1", 1}, {"M2.step-2", 3}, {"M2.step-3", 2}, {"M2.step-4", 9}};
};

TEST_F(SelectionTest, TheModelBeforeTheFirstThatDoesNotWinIsTheRounds) {
  RunToEnd(Selecting(), RunDir());
  EXPECT_EQ(SelectedStep(RunDir()), 2);
  EXPECT_EQ(ModelFolders(RunDir()), (std::set<std::string>{"M1", "M2"}));
  const auto ledger = Open(RunDir());
  const auto chosen = Take(ledger->Model("M2.step-2")), model = Take(ledger->Model("M2"));
  ASSERT_TRUE(chosen && model);
  EXPECT_EQ(model->model_id, chosen->model_id);
  EXPECT_EQ(model->job_id, "dpo-1");
  EXPECT_EQ(Take(ReadManifest(RunDir() + "/models/M2")).ModelId(), model->model_id);
  EXPECT_NE((*ledger->Round(1))->ended_ms, 0);

  // Two comparisons in both orders by the model that was trained; the fourth model was asked for nothing.
  const std::string judge = Take(ledger->Model("M1"))->model_id;
  for (int step = 1; step <= 4; ++step) {
    const std::string name = fmt::format("M2.step-{}", step), before = fmt::format("M2.step-{}", step - 1);
    const auto answers = Take(ledger->EvaluationAnswers(name));
    EXPECT_EQ(answers.size(), static_cast<size_t>(step < 4 ? kPrompts : 0)) << step;
    for (const auto& row : answers) EXPECT_EQ(row.model_id, Take(ledger->Model(name))->model_id);
    const auto comparisons = Take(ledger->Comparisons(name, before));
    EXPECT_EQ(comparisons.size(), static_cast<size_t>(step == 2 || step == 3 ? 2 * kPrompts : 0)) << step;
    for (const auto& row : comparisons) EXPECT_EQ(row.model_id, judge);
  }
  std::vector<std::string> said;
  for (const auto& row : Take(ledger->Events(1, 0, 1000)))
    if (row.event == "checkpoint_selected") said.push_back(row.message);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_NE(said[0].find("M2 is M2.step-2, one of 4 saved models: "), std::string::npos) << said[0];
  EXPECT_NE(said[0].find(R"("against":"M2.step-2","better":false)"), std::string::npos) << said[0];

  const auto coordinator = Create(Selecting(), RunDir());
  EXPECT_EQ(coordinator->Status().rounds(1).selected_step(), 2u);
  EXPECT_FALSE(coordinator->Status().rounds(0).has_selected_step());
}

TEST_F(SelectionTest, TheLastModelIsTheRoundsWhenEachWinsAgainstTheOneBefore) {
  qualities_["M2.step-3"] = 5;
  RunToEnd(Selecting(), RunDir());
  EXPECT_EQ(SelectedStep(RunDir()), 4);
}

TEST_F(SelectionTest, ATieIsNotBetter) {
  qualities_["M2.step-2"] = 1;
  RunToEnd(Selecting({"evaluation.comparison=sampled", "evaluation.comparison_votes=2"}), RunDir());
  EXPECT_EQ(SelectedStep(RunDir()), 1);
  EXPECT_EQ(Take(Open(RunDir())->Comparisons("M2.step-2", "M2.step-1")).size(), 2u * 2 * kPrompts);
}

TEST_F(SelectionTest, AJobThatSavesOneModelAsksForNothing) {
  RunToEnd(Selecting({"dpo.selection_steps=4"}), RunDir());
  EXPECT_EQ(SelectedStep(RunDir()), 4);
  EXPECT_EQ(Answers(RunDir()), "");
}

TEST_F(SelectionTest, ATrainerThatDiesAfterItHasSavedAllIsStartedAgain) {
  groups_.silent_ends = 1;
  RunToEnd(Selecting({"run.iterations=0"}), RunDir());  // M1's is found by its folder
  groups_.silent_ends = 1;
  RunToEnd(Selecting(), RunDir());
  EXPECT_EQ(SelectedStep(RunDir()), 2);
  EXPECT_EQ((*Open(RunDir())->Job("dpo-1"))->tries, 2);
}

TEST_F(SelectionTest, ACoordinatorStoppedWhileItChoosesGoesOnToTheSameChoice) {
  RunToEnd(Selecting(), RunDir("whole"));
  for (const int at : {1, 4, 9}) {
    const std::string run = RunDir(fmt::format("stopped-{}", at));
    {
      std::atomic<int> asked = 0;
      Coordinator* running = nullptr;
      groups_.quality = [&](const std::string& model) {
        if (++asked == at) running->Stop();
        return qualities_.at(model);
      };
      const auto coordinator = Create(Selecting(), run);
      running = coordinator.get();
      EXPECT_TRUE(coordinator->Run().ok());
    }
    EXPECT_EQ((*Open(run)->Job("dpo-1"))->state, "selecting") << at;
    EXPECT_TRUE(ModelFolders(run).contains("M2.step-4"));
    groups_.quality = [&](const std::string& model) { return qualities_.at(model); };
    RunToEnd(Selecting(), run);
    EXPECT_EQ(SelectedStep(run), 2);
    EXPECT_EQ(Answers(run), Answers(RunDir("whole")));
    EXPECT_EQ(ModelFolders(run), (std::set<std::string>{"M1", "M2"}));
  }
}

TEST_F(SelectionTest, ComparisonsThatCannotBeReadPauseTheRunAndAreShown) {
  groups_.quality = nullptr;
  groups_.comparison = [](uint64_t) { return "Neither, I think."; };
  {
    const auto coordinator = Create(Selecting({"evaluation.comparison=sampled"}), RunDir());
    const auto end = coordinator->Run();
    ASSERT_TRUE(end.ok()) << end.status().message();
    EXPECT_EQ(*end, RunEnd::kPaused);
    const std::string message = coordinator->Status().message();
    EXPECT_NE(message.find("comparisons of the answers of M2.step-2: only 0 % of"), std::string::npos) << message;
    EXPECT_NE(message.find("evaluation.comparison: expected"), std::string::npos) << message;
  }
  RunToEnd(Selecting({"evaluation.comparison=sampled", "judge.min_parse_rate=0"}), RunDir());
  EXPECT_EQ(SelectedStep(RunDir()), 1);
}

}  // namespace
}  // namespace srlm::rounds
