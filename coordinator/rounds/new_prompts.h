// The new prompts of a round, written in waves of fixed size (8-shot self-instruct).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/data/prompt_filters.h"
#include "coordinator/rounds/context.h"

namespace srlm::rounds {

/// Examples are drawn from the pool as it was closed at the previous wave, and the filters run in index order when a
/// whole wave is written: the order in which answers arrive changes nothing.
class NewPrompts {
 public:
  /// Called with each accepted prompt.
  using Accept = std::function<Status(const std::string& prompt_id, const std::string& instruction)>;

  NewPrompts(const Context& context, int round, Accept accept);

  /// Takes up where the ledger stands, and asks for what is missing.
  Status Begin();

  /// Puts in what the item of an attempt lacks.
  Status Complete(const schedule::Subject& subject, v1::Item& item) const;
  /// What was written for an attempt; false when it was there already.
  Result<bool> Store(int attempt, const Finished& finished);
  /// An attempt that cannot be written.
  Status SetAside(int attempt, const std::string& reason);

  /// Whether the round has the new prompts it wants, or has tried often enough.
  bool done() const { return done_; }
  int accepted() const { return accepted_; }

 private:
  Status CloseWaveIfWritten();
  Status Judge(const ledger::AttemptRow& row);
  /// Why an instruction cannot be answered: the template or the tokenizer refuses it. Empty: it can.
  Result<std::string> Unanswerable(const std::string& instruction);
  Status AskWave();
  const std::string& InstructionOf(const std::string& demonstration) const;
  void AddToPool(const std::string& prompt_id, const std::string& instruction);
  int Wanted() const { return context_.config.prompts.new_per_round; }
  int MostAttempts() const { return Wanted() * context_.config.prompts.max_attempts_per_new_prompt; }

  const Context& context_;
  int round_;
  Accept accept_;
  data::PromptFilter filter_;
  std::vector<std::pair<std::string, std::string>> pool_;  // accepted new prompts of the run: id, instruction
  std::vector<ledger::AttemptRow> wave_;                   // the open one
  int asked_ = 0;                                          // attempts so far
  int accepted_ = 0;                                       // in this round
  bool done_ = false;
};

}  // namespace srlm::rounds
