// The new prompts of a round, written in waves of fixed size (8-shot self-instruct).
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/data/prompt_filters.h"
#include "coordinator/ledger/attempts.h"
#include "coordinator/rounds/context.h"
#include "coordinator/rounds/known_prompts.h"

namespace srlm::rounds {

/// Examples are drawn from the pool as it was closed at the previous wave, and the filters run in index order when a
/// whole wave is written: the order in which answers arrive changes nothing.
class NewPrompts {
 public:
  /// Called with each accepted prompt.
  using Accept = std::function<Status(const std::string& prompt_id, const std::string& instruction)>;

  NewPrompts(const Context& context, int round, Accept accept);

  /// Takes up where the ledger stands, some more of it, for about 20 ms; then asks for what is missing. Whether that is
  /// done: nothing else may be called before.
  Result<bool> Begin();

  /// Puts in what the item of an attempt lacks.
  Status Complete(const schedule::Subject& subject, v1::Item& item) const;
  /// What was written for an attempt; false when it was there already.
  Result<bool> Store(int attempt, const Finished& finished);
  /// An attempt that cannot be written.
  Status SetAside(int attempt, const std::string& reason);

  bool begun() const { return begun_; }
  /// Whether the round has the new prompts it wants, or has tried often enough.
  bool done() const { return done_; }
  int accepted() const { return accepted_; }

 private:
  Status TakeUpWave();
  Status CloseWaveIfWritten();
  Status Judge(const ledger::AttemptRow& row);
  /// Why an instruction cannot be answered: the template or the tokenizer refuses it. Empty: it can.
  Result<std::string> Unanswerable(const std::string& instruction);
  Status AskWave();
  Status NoteOutcomes();
  const std::string& InstructionOf(const std::string& demonstration) const;
  void AddToPool(const std::string& prompt_id, const std::string& instruction);
  int Wanted() const { return context_.config.prompts.new_per_round; }
  int MostAttempts() const { return Wanted() * context_.config.prompts.max_attempts_per_new_prompt; }

  const Context& context_;
  int round_;
  Accept accept_;
  data::PromptFilter filter_;
  KnownPrompts known_;
  std::vector<std::pair<std::string, std::string>> pool_;  // accepted new prompts of the run: id, instruction
  std::unordered_map<std::string, size_t> places_;         // of the ids in it
  std::vector<ledger::AttemptRow> wave_;                   // the open one
  int asked_ = 0;                                          // attempts so far
  int accepted_ = 0;                                       // in this round
  bool done_ = false;
  bool begun_ = false;
  ledger::AcceptedInstruction taken_up_;  // the last one
};

}  // namespace srlm::rounds
