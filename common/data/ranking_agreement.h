// How far two models rank the same answers alike.
#pragma once

#include <span>

namespace srlm::data {

/// CREAM's consistency (arXiv 2410.12735): (tau + 1) / 2 in [0, 1] of the two rankings that the values give, tau being
/// Kendall's over all pairs of positions. Equal values rank by their position, so that there are no ties. `a` and `b`
/// are equally long, at least 2.
double RankingAgreement(std::span<const double> a, std::span<const double> b);

}  // namespace srlm::data
