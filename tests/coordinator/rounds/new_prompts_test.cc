// New prompts against the run's own files: what models are measured on, and what is given.
#include "coordinator/rounds/new_prompts.h"

#include <fmt/format.h>

#include <map>

#include "common/base/file.h"
#include "tests/coordinator/rounds/fake_run.h"

namespace srlm::rounds {
namespace {

class NewPromptsTest : public FakeRunTest {
 protected:
  /// Attempts of round 1 by what was written, the same in every run of a seed: why each was not taken, empty if it was.
  std::map<std::string, std::string> Outcomes(const std::string& run) {
    std::map<std::string, std::string> outcomes;
    for (const ledger::AttemptRow& row : Take(Open(run)->Attempts(1))) outcomes[row.instruction] = row.reason;
    return outcomes;
  }
  /// The prompts that a run takes when no file has one of them.
  std::vector<std::string> TakenWithoutThem() {
    RunToEnd(Config(), RunDir("without"));
    std::vector<std::string> taken;
    for (const auto& [text, reason] : Outcomes(RunDir("without")))
      if (reason.empty()) taken.push_back(text);
    EXPECT_EQ(taken.size(), 3u);
    return taken;
  }
  void Write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(WriteFileAtomic(folder_ + "/" + name, text).ok());
  }
  std::string Counts(const std::string& run) {
    for (const ledger::EventRow& row : Take(Open(run)->Events(1, 0, 1000)))
      if (row.event == "new_prompts_written") return row.message;
    return "no event";
  }
};

TEST_F(NewPromptsTest, OneThatModelsAreMeasuredOnIsNotTakenAlsoAfterStops) {
  const std::vector<std::string> taken = TakenWithoutThem();
  Write("measured.jsonl", fmt::format(R"({{"prompt_id": "m", "prompt": "{}"}})", "  " + taken[0]));
  Write("held_out.jsonl", fmt::format(R"({{"prompt": "{}", "completion": "Yes."}})", taken[2]));
  const std::vector<std::string> more = {"data.evaluation_prompts=measured.jsonl", "data.held_out=held_out.jsonl"};
  RunToEnd(Config(more), RunDir("whole"));
  auto outcomes = Outcomes(RunDir("whole"));
  EXPECT_EQ(outcomes.at(taken[0]), "overlaps_evaluation");
  EXPECT_EQ(outcomes.at(taken[1]), "");
  EXPECT_EQ(outcomes.at(taken[2]), "overlaps_evaluation");
  EXPECT_NE(Counts(RunDir("whole")).find("accepted 3, overlaps_evaluation 2"), std::string::npos)
      << Counts(RunDir("whole"));
  EXPECT_EQ(Open(RunDir("whole"))->Prompts(1)->size(), 5u);  // others were taken

  std::vector<std::string> of_m1 = more;
  of_m1.push_back("run.iterations=0");
  RunToEnd(Config(of_m1), RunDir("stopped"));
  for (int stop = 0; stop < 4; ++stop) StopAfterResults(Config(more), RunDir("stopped"), 4);
  RunToEnd(Config(more), RunDir("stopped"));
  EXPECT_EQ(Table(RunDir("stopped"), "prompts"), Table(RunDir("whole"), "prompts"));
}

TEST_F(NewPromptsTest, OneThatIsGivenIsNotTakenWhicheverRoundItIsGivenTo) {
  const std::vector<std::string> taken = TakenWithoutThem();
  std::string given;
  for (int i = 0; i < 4; ++i) given += fmt::format("{{\"prompt_id\": \"given-{0}\", \"prompt\": \"Given {0}?\"}}\n", i);
  given += fmt::format("{{\"prompt_id\": \"late\", \"prompt\": \"{}\"}}\n", taken[1]);
  given += fmt::format("{{\"prompt_id\": \"near\", \"prompt\": \"{} Now.\"}}\n", taken[2]);
  Write("given.jsonl", given);
  RunToEnd(Config({"data.prompts=given.jsonl"}), RunDir());
  const auto outcomes = Outcomes(RunDir());
  EXPECT_EQ(outcomes.at(taken[0]), "");
  EXPECT_EQ(outcomes.at(taken[1]), "duplicate");
  EXPECT_EQ(outcomes.at(taken[2]), "too_similar");
}

}  // namespace
}  // namespace srlm::rounds
