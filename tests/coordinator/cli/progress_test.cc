#include "coordinator/cli/progress.h"

#include <gtest/gtest.h>

#include <functional>

namespace srlm::cli {
namespace {

v1::PhaseProgress Progress(const std::string& phase, uint64_t done, uint64_t total, uint32_t round = 1) {
  v1::PhaseProgress progress;
  progress.set_round(round);
  progress.set_phase(phase);
  progress.set_done(done);
  progress.set_total(total);
  progress.set_unit("items");
  progress.set_rate_per_second(112.4);
  progress.set_remaining_seconds(80);
  progress.set_seconds(20);
  return progress;
}

v1::RunStatus Status(const v1::PhaseProgress& progress, const v1::PhaseProgress& finished = {}) {
  v1::RunStatus status;
  *status.mutable_progress() = progress;
  *status.mutable_finished() = finished;
  return status;
}

/// What `use` makes a printer write.
std::string Printed(bool terminal, const std::function<void(ProgressPrinter&)>& use) {
  char* text = nullptr;
  size_t size = 0;
  std::FILE* const file = open_memstream(&text, &size);
  {
    ProgressPrinter printer(file, terminal, 100);
    use(printer);
  }
  std::fclose(file);
  std::string printed(text, size);
  std::free(text);
  return printed;
}

int LinesOf(const std::string& text) { return static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

TEST(DescribeProgress, GivesShareAmountRateAndRemainingTime) {
  EXPECT_EQ(DescribeProgress(Progress("dpo", 64, 128), 10),
            "[#####-----]   50 %  64/128 items  112 tokens/s  1:20 left");
}

TEST(DescribeProgress, DoesNotInventWhatIsUnknown) {
  v1::PhaseProgress progress = Progress("prompts", 3, 0);
  progress.set_remaining_seconds(-1);
  progress.set_rate_per_second(0);
  EXPECT_EQ(DescribeProgress(progress, 10), "3 items");
}

TEST(ProgressPrinter, WithoutATerminalPrintsAtMostOneLineInTenSeconds) {
  const Clock::time_point begin = Clock::now();
  const std::string text = Printed(false, [&](ProgressPrinter& printer) {
    for (int ms = 0; ms <= 25000; ms += 200) {
      printer.Update(Status(Progress("dpo", ms / 200, 126)), begin + std::chrono::milliseconds(ms));
    }
  });
  EXPECT_EQ(LinesOf(text), 4) << text;  // begins, at 10 s, at 20 s, end
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_NE(text.find("round 1  DPO: begins\n"), std::string::npos) << text;
  EXPECT_NE(text.find("round 1  DPO: 125/126 items in 20 s, 112 tokens/s\n"), std::string::npos) << text;
}

TEST(ProgressPrinter, EveryPhaseOfEveryRoundBeginsAndEndsWithWhatItCameTo) {
  const std::string text = Printed(false, [](ProgressPrinter& printer) {
    printer.Update(Status(Progress("sft", 1, 2, 0)));
    printer.Update(Status(Progress("prompts", 1, 4, 1), Progress("sft", 2, 2, 0)));
    printer.Update(Status(Progress("prompts", 1, 4, 2), Progress("prompts", 3, 4, 1)));
    printer.Update(Status(Progress("done", 0, 0, 2), Progress("prompts", 4, 4, 2)));
  });
  EXPECT_EQ(LinesOf(text), 6) << text;
  EXPECT_EQ(text.find("done"), std::string::npos);
  EXPECT_NE(text.find("supervised fine-tuning: 2/2 items in"), std::string::npos) << text;
  EXPECT_NE(text.find("round 1  new prompts: 3/4 items in"), std::string::npos) << "not more than passed: " << text;
  EXPECT_NE(text.find("round 2  new prompts: 4/4 items in"), std::string::npos) << text;
}

TEST(ProgressPrinter, OnATerminalDrawsOneLineAgain) {
  const std::string text = Printed(true, [](ProgressPrinter& printer) {
    for (uint64_t done = 0; done < 5; ++done) printer.Update(Status(Progress("dpo", done, 5)));
    printer.Note("a word");
  });
  EXPECT_EQ(LinesOf(text), 2) << text;  // the note, and the phase's end
  EXPECT_NE(text.find('\r'), std::string::npos);
  EXPECT_NE(text.find("a word\n"), std::string::npos);
}

}  // namespace
}  // namespace srlm::cli
