// Correlations of short lists.
#pragma once

#include <span>
#include <vector>

namespace srlm::data {

/// Ranks from 1; equal values share the mean of their ranks.
std::vector<double> AverageRanks(std::span<const double> values);

/// Pearson's r; 0 when either list is constant.
double Pearson(std::span<const double> x, std::span<const double> y);

/// Spearman's rho: Pearson's r of average ranks.
double Spearman(std::span<const double> x, std::span<const double> y);

/// Kendall's tau-b (corrected for ties); 0 when either list is constant.
double KendallTauB(std::span<const double> x, std::span<const double> y);

}  // namespace srlm::data
