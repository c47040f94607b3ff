#include "common/data/figure.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace srlm::data {

void SetInterval(std::vector<double> drawn, Figure& figure) {
  if (drawn.empty()) return;
  std::sort(drawn.begin(), drawn.end());
  const auto at = [&](double share) {
    const double place = share * static_cast<double>(drawn.size() - 1);
    const auto low = static_cast<size_t>(place);
    const size_t high = std::min(low + 1, drawn.size() - 1);
    return drawn[low] + (drawn[high] - drawn[low]) * (place - static_cast<double>(low));
  };
  figure.low = at(0.025);
  figure.high = at(0.975);
}

nlohmann::json ToJson(const Figure& figure) {
  if (figure.n == 0) return {{"value", nullptr}, {"n", 0}, {"low", nullptr}, {"high", nullptr}};
  return {{"value", figure.value}, {"n", figure.n}, {"low", figure.low}, {"high", figure.high}};
}

}  // namespace srlm::data
