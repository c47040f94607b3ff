// The logistic function and its logarithm, for fits by maximum likelihood.
#pragma once

#include <cmath>

namespace srlm::data {

inline double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// log(1 + exp(x)) without overflow: -log sigmoid(-x).
inline double SoftPlus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

}  // namespace srlm::data
