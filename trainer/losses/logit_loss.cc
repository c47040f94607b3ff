#include "trainer/losses/logit_loss.h"

#include <algorithm>
#include <array>

namespace srlm::trainer {
namespace {

constexpr std::array<LogitLoss, 2> kLosses = {{{"sigmoid", SigmoidLoss}, {"ipo", IpoLoss}}};

}  // namespace

std::span<const LogitLoss> LogitLosses() { return kLosses; }

const LogitLoss* FindLogitLoss(std::string_view name) {
  const auto found = std::ranges::find(kLosses, name, &LogitLoss::name);
  return found == kLosses.end() ? nullptr : &*found;
}

}  // namespace srlm::trainer
