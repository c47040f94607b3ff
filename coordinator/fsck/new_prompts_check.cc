#include <fmt/format.h>

#include <set>

#include "common/data/normal_form.h"
#include "common/data/prompt_input.h"
#include "coordinator/fsck/run.h"

namespace srlm::fsck {
namespace {

const std::set<std::string> kOpen = {"asked", "written"};
const std::set<std::string> kDecided = {"accepted", "rejected", "surplus", "failed"};

std::string RowOf(const ledger::AttemptRow& row) {
  return fmt::format("attempts, round {}, attempt {}", row.round, row.attempt);
}

void CheckAttempt(const Run& run, const ledger::AttemptRow& row, Report& report) {
  const ledger::RoundRow* round = run.Round(row.round);
  if (!kOpen.contains(row.state) && !kDecided.contains(row.state))
    report.Add(RowOf(row), "its state is \"" + row.state + "\", which there is none of", kRowsChanged);
  if (kOpen.contains(row.state) && round != nullptr && round->pairs_closed)
    report.Add(RowOf(row), "it is \"" + row.state + "\" in a round that is closed", kRowsChanged);
  if ((row.state == "rejected" || row.state == "failed") && row.reason.empty())
    report.Add(RowOf(row), "it was " + row.state + " without a reason", kRowsChanged);
  const std::string writer = run.ModelId(run.WriterOf(row.round));
  if (!row.model_id.empty() && row.model_id != writer)
    report.Add(RowOf(row), fmt::format("written by model {}, and the round's writer is {}", row.model_id, writer),
               kRowsChanged);
}

// An accepted attempt is a prompt of its round, word for word.
Status CheckAccepted(const Run& run, const ledger::AttemptRow& row, Report& report) {
  const std::string id = fmt::format("new-{}-{}", row.round, row.attempt);
  SRLM_ASSIGN_OR_RETURN(const auto prompt, run.ledger.PromptById(row.round, id));
  if (!prompt)
    report.Add(RowOf(row), "it was accepted, and the round has no prompt " + id, kRowsChanged);
  else if (!prompt->is_new || data::PlainText(prompt->input) != row.instruction)
    report.Add(RowOf(row), "prompt " + id + " is not what was accepted", kRowsChanged);
  return OkStatus();
}

}  // namespace

Status CheckNewPrompts(Run& run, Report& report) {
  report.Begin("new prompts");
  std::map<int, int> attempts, accepted;     // by round
  std::map<std::string, std::string> forms;  // of the accepted ones: normal form -> row
  for (const ledger::RoundRow& round : run.rounds) {
    if (round.round == 0) continue;
    SRLM_ASSIGN_OR_RETURN(const auto rows, run.ledger.Attempts(round.round));
    int expected = 0;
    for (const ledger::AttemptRow& row : rows) {
      run.digests["new prompts"].Add(row);
      if (row.attempt != expected)
        report.Add(RowOf(row), fmt::format("attempt {} is missing before it, or this one is there twice", expected),
                   kRowsChanged);
      expected = row.attempt + 1;
      CheckAttempt(run, row, report);
      if (row.state != "accepted") continue;
      ++accepted[round.round];
      const auto [same, is_new] = forms.try_emplace(data::NormalForm(row.instruction), RowOf(row));
      if (!is_new)
        report.Add(
            RowOf(row),
            "it was accepted, and is the same as that of " + same->second + " but for case, punctuation and spaces",
            kRowsChanged);
      SRLM_RETURN_IF_ERROR(CheckAccepted(run, row, report));
    }
    attempts[round.round] = static_cast<int>(rows.size());
    if (!round.pairs_closed || accepted[round.round] == run.config.prompts.new_per_round) continue;
    SRLM_ASSIGN_OR_RETURN(const bool said, run.HasEvent(round.round, "new_prompts_missing"));
    if (!said)
      report.Add(fmt::format("attempts, round {}", round.round),
                 fmt::format("{} were accepted, {} are wanted (prompts.new_per_round), and no event says why",
                             accepted[round.round], run.config.prompts.new_per_round),
                 kRowsChanged);
  }
  int all = 0, taken = 0;
  for (const auto& [round, count] : attempts) all += count;
  for (const auto& [round, count] : accepted) taken += count;
  report.Counted(fmt::format("{} attempts, {} accepted", all, taken));
  return OkStatus();
}

}  // namespace srlm::fsck
