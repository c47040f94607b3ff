#include "coordinator/rounds/machine.h"

namespace srlm::rounds {
namespace {

constexpr char kNoPhase[] = "done";  // also for the moment between two models

}  // namespace

// The phase in progress with its counts; evaluation, new prompts and answers run beside one another, and the first
// that is unfinished gives the name.
v1::PhaseProgress Machine::Counts() const {
  v1::PhaseProgress progress;
  progress.set_unit("items");
  progress.set_round(static_cast<uint32_t>(round()));
  const auto set = [&](const char* phase, uint64_t done, uint64_t total, uint64_t failed) {
    progress.set_phase(phase);
    progress.set_done(done);
    progress.set_total(total);
    progress.set_failed(failed);
  };
  if (training_ != nullptr) {
    const ledger::JobRow& row = training_->row();
    set(training_->job().kind == "sft" ? "sft" : "dpo", row.step, row.total_steps, 0);
    progress.set_unit("steps");
  } else if (selection_ != nullptr) {
    set("select_checkpoint", selection_->total() - selection_->open(), selection_->total(), selection_->failed());
  } else if (evaluation_ != nullptr) {
    set("evaluate", evaluation_->total() - evaluation_->open(), evaluation_->total(), evaluation_->failed());
  } else if (new_prompts_ != nullptr && !new_prompts_->done()) {
    set("prompts", static_cast<uint64_t>(new_prompts_->accepted()),
        static_cast<uint64_t>(context_.config.prompts.new_per_round), 0);
  } else if (meta_judge_ != nullptr) {
    set("meta_judge", static_cast<uint64_t>(meta_judge_->total() - meta_judge_->missing()),
        static_cast<uint64_t>(meta_judge_->total()), static_cast<uint64_t>(meta_judge_->failed()));
  } else if (likelihoods_ != nullptr && likelihoods_->total() > 0) {
    set("likelihoods", static_cast<uint64_t>(likelihoods_->total() - likelihoods_->missing()),
        static_cast<uint64_t>(likelihoods_->total()), static_cast<uint64_t>(likelihoods_->failed()));
  } else if (program_votes_ != nullptr) {
    const ledger::RoundCounts& counts = answers_->counts();
    set("judge", static_cast<uint64_t>(counts.votes.scored + counts.votes.unscored),
        static_cast<uint64_t>(counts.candidates - counts.dropped), 0);
    progress.set_unit("candidates");
  } else if (answers_ != nullptr) {
    // One item for the answers to a prompt, one for the votes on each of them. Votes are asked for when their answer is
    // there: until then a prompt counts for all its samples. The anchor's answers count as the others.
    const ledger::RoundCounts& counts = answers_->counts();
    const auto expected = [&](int64_t there, int samples) {
      return samples == 0 ? 0 : there + (counts.prompts - counts.failed_prompts - there / samples) * samples;
    };
    const int64_t judged = counts.not_judged + counts.votes.scored + counts.votes.unscored + counts.anchors_done;
    const int64_t votes = expected(counts.candidates, context_.config.generation.samples) - counts.dropped +
                          expected(counts.anchors, AnchorSamples(context_.config));
    set("generate_and_judge", static_cast<uint64_t>(counts.answered + counts.failed_prompts + judged),
        static_cast<uint64_t>(counts.prompts + votes),
        static_cast<uint64_t>(counts.failed_prompts + counts.not_judged));
  } else {
    set(kNoPhase, 0, 0, 0);
  }
  return progress;
}

void Machine::NotePhase(Clock::time_point now) {
  v1::PhaseProgress counts = Counts();
  if (counts.phase() == phase_ && counts.round() == phase_progress_.round()) {
    phase_progress_ = std::move(counts);
    return;
  }
  if (!phase_.empty() && phase_ != kNoPhase) {
    finished_phase_ = phase_progress_;
    finished_phase_.set_seconds(SecondsBetween(phase_began_, now));
    finished_phase_.set_remaining_seconds(0);
  }
  phase_progress_ = counts;
  phase_ = counts.phase();
  phase_began_ = now;
  done_when_begun_ = counts.done();
}

v1::PhaseProgress Machine::Progress(Clock::time_point now) const {
  v1::PhaseProgress progress = Counts();
  const double seconds = progress.phase() == phase_ ? SecondsBetween(phase_began_, now) : 0;
  progress.set_seconds(seconds);
  progress.set_rate_per_second(training_ != nullptr ? training_->tokens_per_second()
                                                    : context_.workers.TokensPerSecond());
  const uint64_t done = progress.done() - std::min(progress.done(), done_when_begun_);
  const bool known = done > 0 && progress.total() >= progress.done() && seconds > 0;
  progress.set_remaining_seconds(
      known ? seconds / static_cast<double>(done) * static_cast<double>(progress.total() - progress.done()) : -1);
  return progress;
}

}  // namespace srlm::rounds
