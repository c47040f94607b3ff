#include "common/data/ranking_agreement.h"

#include "common/base/check.h"

namespace srlm::data {

double RankingAgreement(std::span<const double> a, std::span<const double> b) {
  SRLM_CHECK(a.size() == b.size() && a.size() >= 2, "rankings of the same answers, two at least");
  size_t alike = 0;
  for (size_t i = 0; i < a.size(); ++i)
    for (size_t j = i + 1; j < a.size(); ++j) alike += (a[i] <= a[j]) == (b[i] <= b[j]);
  return static_cast<double>(alike) / (static_cast<double>(a.size()) * static_cast<double>(a.size() - 1) / 2);
}

}  // namespace srlm::data
