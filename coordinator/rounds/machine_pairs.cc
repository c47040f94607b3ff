// The state machine's part between a round's last vote and its training: what pairs need, and the pairs.
#include "coordinator/rounds/machine.h"

namespace srlm::rounds {

Result<bool> Machine::AdvancePairs(int number) {
  if (likelihoods_ == nullptr) likelihoods_ = std::make_unique<Likelihoods>(context_, number);
  if (!likelihoods_->begun()) SRLM_RETURN_IF_ERROR(likelihoods_->Begin());
  SRLM_RETURN_IF_ERROR(likelihoods_->Refill());
  if (!likelihoods_->finished()) return false;
  if (context_.config.meta_judge.enabled) {
    if (meta_judge_ == nullptr) meta_judge_ = std::make_unique<MetaJudge>(context_, number);
    SRLM_ASSIGN_OR_RETURN(const bool compared, meta_judge_->Advance());
    if (!compared) return false;
  }
  if (judge_pair_maker_ == nullptr) {
    if (pair_maker_ == nullptr) pair_maker_ = std::make_unique<PairMaker>(context_, number, answers_->counts());
    SRLM_ASSIGN_OR_RETURN(const bool made, pair_maker_->MakeSome());
    if (!made) return false;
    pair_maker_.reset();
  }
  if (meta_judge_ != nullptr) {
    if (judge_pair_maker_ == nullptr)
      judge_pair_maker_ = std::make_unique<JudgePairMaker>(context_, number, meta_judge_->subjects());
    SRLM_ASSIGN_OR_RETURN(const bool made, judge_pair_maker_->MakeSome());
    if (!made) return false;
  }
  judge_pair_maker_.reset();
  meta_judge_.reset();
  likelihoods_.reset();
  return true;
}

}  // namespace srlm::rounds
