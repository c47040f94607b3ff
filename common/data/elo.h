// Scores of things that were compared two at a time, by a judge that may prefer a place.
#pragma once

#include <cstdint>
#include <vector>

namespace srlm::data {

/// What a win counts, by where the winner stood. The place that wins more often counts less: with `first` and `second`
/// wins in all, first = second / (first + second) and second = first / (first + second) (Meta-Rewarding, arXiv
/// 2407.19594, section 2.2). Without wins both are 1/2.
struct PlaceWeights {
  double first = 0.5;
  double second = 0.5;
};
PlaceWeights WeighPlaces(int64_t first_wins, int64_t second_wins);

/// wins[m][n]: how much m won over n, at least 0.
using WinMatrix = std::vector<std::vector<double>>;

/// Elo scores e, one a row, that maximise sum of wins[m][n] log sigmoid(e_m - e_n) - 0.005 sum of e_m^2, so in natural
/// logarithms of the odds. The penalty, which is ours, keeps the score of what always won finite; it makes their sum 0.
/// Rounded to millionths: the last bits of exp differ between processors.
std::vector<double> EloScores(const WinMatrix& wins);

}  // namespace srlm::data
