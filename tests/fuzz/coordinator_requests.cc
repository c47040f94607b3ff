// What workers, trainers and people may say to a coordinator, in any order. An input is a list of steps, divided by
// lines of `=====`; a step's first word is its kind, the rest is the message's text form (`submit epoch: 1 ...`). The
// kinds `train` (first step: M1 is not there yet), `advance SECONDS`, `answer COUNT` and `make` are the run's own.
#include <algorithm>
#include <charconv>

#include "tests/fuzz/coordinator_run.h"

namespace srlm {
namespace {

constexpr size_t kMostSteps = 12;
constexpr int kLongestWord = 10;

int Number(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return std::clamp(number, 0, 1000);
}

void Step(fuzz::CoordinatorRun& run, const std::string& step) {
  const size_t space = std::min(step.find_first_of(" \n"), step.size());
  const std::string kind = step.substr(0, std::min<size_t>(space, kLongestWord));
  const std::string rest = step.substr(std::min(space + 1, step.size()));
  if (kind == "advance") return run.Advance(Number(rest));
  if (kind == "make") return run.MakeModel();
  if (kind == "answer") {
    for (int i = 0; i < std::min(Number(rest), 40); ++i) run.AnswerOne(static_cast<uint64_t>(i));
    return run.Advance(0);
  }
  run.Say(kind, rest);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::RunFiles files;
  const auto steps = fuzz::Parts(fuzz::Text(data, size), kMostSteps);
  fuzz::CoordinatorRun run(files, steps[0] != "train");
  for (const std::string& step : steps) Step(run, step);
  run.Advance(1);
  run.CheckTables();
  return 0;
}

}  // namespace srlm
